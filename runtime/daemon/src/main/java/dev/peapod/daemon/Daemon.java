package dev.peapod.daemon;

import dev.peapod.error.PeapodException;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// The running daemon: every part made and connected by hand, in the order of their need.
final class Daemon implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Daemon.class.getName());
  private static final long DRAIN_MILLIS = 1_000;

  private final UndoStack undo = new UndoStack();

  private Daemon() {}

  /// Starts everything; on return the sockets answer.
  ///
  /// @throws PeapodException if it can not run here; nothing is left behind then
  static Daemon start(Config config, ServiceManager manager) {
    requireRoot();
    Daemon daemon = new Daemon();
    try {
      daemon.wire(config);
    } catch (RuntimeException | Error e) {
      daemon.undo.close();
      throw e;
    }
    daemon.undo.push("the service manager's knowledge", manager::stopping);
    manager.ready();
    return daemon;
  }

  private void wire(Config config) {
    DirectoryLock stateLock = DirectoryLock.take(config.state(), "state");
    undo.push("the lock on the state directory", stateLock::close);
    DirectoryLock rootLock = DirectoryLock.take(config.root(), "root");
    undo.push("the lock on the root directory", rootLock::close);

    ExecutorService handlers =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("rpc-", 0).factory());
    undo.push("the handlers", handlers::shutdownNow);

    // The sockets.
    HealthStatusManager health = new HealthStatusManager();
    List<BindableService> common =
        List.of(
            new DaemonService(config),
            health.getHealthService(),
            ProtoReflectionServiceV1.newInstance(),
            reflectionAlpha());
    UnixServers servers = new UnixServers(handlers);
    undo.push("the sockets' event loop", servers::close);
    Server publicServer = servers.start(config.socket(), "rw-rw----", join(List.of(), common));
    undo.push("the server on " + config.socket(), () -> stop(publicServer));
    Server podsServer = servers.start(config.podsCriSocket(), "rw-------", join(List.of(), common));
    undo.push("the server on " + config.podsCriSocket(), () -> stop(podsServer));

    health.setStatus("", ServingStatus.SERVING);
    undo.push("health", health::enterTerminalState);
    LOG.log(System.Logger.Level.INFO, "ready on {0}", config.socket());
  }

  /// Stops accepting, lets running calls end for a moment, and ends. Pods run on.
  @Override
  public void close() {
    undo.close();
  }

  private static void stop(Server server) throws InterruptedException {
    server.shutdown();
    if (!server.awaitTermination(DRAIN_MILLIS, TimeUnit.MILLISECONDS)) {
      server.shutdownNow();
      server.awaitTermination(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  @SuppressWarnings("deprecation") // What grpcurl and older clients still ask for.
  private static BindableService reflectionAlpha() {
    return io.grpc.protobuf.services.ProtoReflectionService.newInstance();
  }

  private static List<BindableService> join(
      List<BindableService> first, List<BindableService> second) {
    List<BindableService> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  private static void requireRoot() {
    try {
      if (!Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) {
        throw new PeapodException(
            PeapodException.Kind.PERMISSION_DENIED, "peapodd must be run by root");
      }
    } catch (IOException e) {
      throw PeapodException.internal("can not tell who runs peapodd: /proc is not there", e);
    }
  }
}
