package dev.peapod.daemon;

import dev.peapod.cni.NetworkDefaults;
import dev.peapod.cni.NetworkList;
import dev.peapod.cri.CriServices;
import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.engine.Engine;
import dev.peapod.engine.EngineConfig;
import dev.peapod.error.PeapodException;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshots;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.cgroup.CgroupName;
import dev.peapod.pods.PodSupervisor;
import dev.peapod.pods.PodsConfig;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The running daemon: every part made and connected by hand, in the order of their need.
final class Daemon implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Daemon.class.getName());
  private static final long PREPARE_MILLIS = 500;

  // Owners of sandboxes: whoever comes by the public socket, and `peapod apply`.
  private static final String KUBELET = "kubelet";
  private static final String PODS = "pods";

  private static final String INNER = "cri-of-pods";

  /// Of messages within the process: to measure one would be to write it out, for counters that nobody reads.
  private static final long ASSUMED_SIZE = 1024;
  private static final Path PINS = Path.of("/run/netns");
  private static final Path DOCKER_CONFIG = Path.of("/root/.docker/config.json");

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
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("rpc").factory());
    undo.push("the handlers", handlers::shutdownNow);

    // Netty takes about as long to load as the engine to start.
    CompletableFuture<UnixServers> sockets =
        CompletableFuture.supplyAsync(() -> new UnixServers(handlers), handlers);
    undo.push("the sockets' event loop", () -> sockets.join().close());
    CompletableFuture<UnixServer> podsListening =
        sockets.thenApply(servers -> servers.listen(config.podsCriSocket(), "rw-------"));
    CompletableFuture<UnixServer> publicListening =
        podsListening.thenApply(before -> sockets.join().listen(config.socket(), "rw-rw----"));
    undo.push("the listening sockets", () -> closeThose(List.of(podsListening, publicListening)));

    // What pods are made of: the kernel's events, images, the network, the engine over them.
    EventLoop loop = EventLoop.start("kernel-events");
    undo.push("the kernel's events", loop::close);
    ImageStore images = ImageStore.open(config.root(), registries(config));
    undo.push("the images", images::close);
    Snapshots snapshots = Snapshots.open(config.root());
    NetworkList networks =
        NetworkList.load(
            config.cniConfDir(),
            config.cniBinDir(),
            new NetworkDefaults("peapod", config.bridge(), config.podCidr(), 0));
    Engine engine =
        Engine.start(
            new EngineConfig(
                config.state(),
                config.libexec(),
                PINS,
                config.cgroupDriver(),
                config.cgroupParent(),
                config.spares()),
            loop,
            images,
            snapshots,
            networks);
    undo.push("the engine", () -> close(engine));

    StreamingServer streaming = new StreamingServer(config.streaming());
    undo.push("the streaming server", streaming::close);

    // The kubelet-like part, which knows the engine by the CRI alone.
    List<ServerServiceDefinition> podsCri =
        CriServices.of(
            engine.owner(PODS), images, snapshots, streaming, CommandLine.version());
    ManagedChannel channel;
    if (config.runtimeEndpoint().isPresent()) {
      channel = sockets.join().connect(config.runtimeEndpoint().get(), handlers);
    } else {
      Server inner = inner(podsCri, handlers);
      undo.push("the inner server", () -> UnixServer.stop(inner));
      channel =
          InProcessChannelBuilder.forName(INNER)
              .executor(handlers)
              .maxInboundMessageSize(UnixServers.LARGEST_MESSAGE)
              .assumedMessageSize(ASSUMED_SIZE)
              .build();
    }
    undo.push("the channel to the runtime of pods", channel::shutdownNow);
    NameServer names = names(config, engine);
    undo.push("the DNS server", names::close);
    PodSupervisor pods =
        new PodSupervisor(
            channel,
            PodsConfig.of(
                    config.root(),
                    config.logRoot(),
                    new CgroupName(config.cgroupDriver(), config.cgroupParent()),
                    nodeName())
                .withShareProcessNamespace(config.shareProcessNamespace())
                .withBackOff(config.backOff(), config.backOffMax(), config.backOffReset())
                .withManifests(config.manifestDir())
                .withDns(names),
            engine.cgroups());
    undo.push("the supervisor of pods", pods::close);
    names.answer(pods.names());
    pods.start();

    // The sockets.
    HealthStatusManager health = new HealthStatusManager();
    List<ServerServiceDefinition> common =
        List.of(
            new DaemonService(config, pods::runtime).bindService(),
            health.getHealthService().bindService(),
            ProtoReflectionServiceV1.newInstance().bindService(),
            reflectionAlpha().bindService());
    List<ServerServiceDefinition> podApi = new ArrayList<>();
    pods.services().forEach(service -> podApi.add(service.bindService()));
    podApi.add(
        config.runtimeEndpoint().isPresent()
            ? pods.images().bindService()
            : CriServices.images(PODS, images));
    List<ServerServiceDefinition> kubeletCri =
        CriServices.of(
            engine.owner(KUBELET), images, snapshots, streaming, CommandLine.version());
    UnixServer podsServer = await(podsListening);
    undo.push("the server on " + config.podsCriSocket(), podsServer::close);
    UnixServer publicServer = await(publicListening);
    undo.push("the server on " + config.socket(), publicServer::close);
    podsServer.serve(join(List.of(podsCri, common)));
    publicServer.serve(join(List.of(kubeletCri, podApi, common)));

    health.setStatus("", ServingStatus.SERVING);
    undo.push("health", health::enterTerminalState);
    LOG.log(System.Logger.Level.INFO, "ready on {0}", config.socket());
    Thread later = Thread.ofVirtual().name("prepare").start(() -> prepare(engine, pods, names));
    undo.push("what is prepared", () -> end(later));
  }

  /// What the first pods would wait for is made ready when the first calls are over. Pods that run already have names
  /// answered as soon as it is known what runs.
  private static void prepare(Engine engine, PodSupervisor pods, NameServer names) {
    try {
      if (pods.awaitAdoption()) {
        names.server();
      }
      Thread.sleep(PREPARE_MILLIS);
      names.server();
      engine.prepare();
    } catch (InterruptedException e) {
      LOG.log(System.Logger.Level.DEBUG, "ended before anything was prepared");
    }
  }

  /// Over another runtime there is no network of ours: somebody has to say where pods reach this machine.
  private static NameServer names(Config config, Engine engine) {
    boolean own = config.runtimeEndpoint().isEmpty();
    return new NameServer(
        config.clusterDns(),
        config.clusterDomain(),
        () -> own ? engine.gateway() : Optional.empty());
  }

  private static void end(Thread thread) throws InterruptedException {
    thread.interrupt();
    thread.join();
  }

  /// Stops accepting, lets running calls end for a moment, and ends. Pods run on.
  @Override
  public void close() {
    undo.close();
  }

  private static void close(Engine engine) {
    int running = engine.sandboxCount();
    engine.close();
    if (running > 0) {
      LOG.log(System.Logger.Level.INFO, "{0} sandboxes run on", running);
    }
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof PeapodException cause ? cause : e;
    }
  }

  private static void closeThose(List<CompletableFuture<UnixServer>> servers)
      throws InterruptedException {
    for (CompletableFuture<UnixServer> server : servers) {
      if (server.handle((listening, failed) -> failed == null).join()) {
        server.join().close();
      }
    }
  }

  @SuppressWarnings("deprecation") // What grpcurl and older clients still ask for.
  private static BindableService reflectionAlpha() {
    return io.grpc.protobuf.services.ProtoReflectionService.newInstance();
  }

  private static Server inner(List<ServerServiceDefinition> services, Executor handlers) {
    try {
      return InProcessServerBuilder.forName(INNER)
          .executor(handlers)
          .maxInboundMessageSize(UnixServers.LARGEST_MESSAGE)
          .addServices(services)
          .build()
          .start();
    } catch (IOException e) {
      throw PeapodException.internal("can not start the inner server", e);
    }
  }

  private static RegistryConfig registries(Config config) {
    RegistryConfig registries =
        Files.exists(config.registries())
            ? RegistryConfig.load(config.registries())
            : RegistryConfig.none();
    return Files.exists(DOCKER_CONFIG) ? registries.withDockerConfig(DOCKER_CONFIG) : registries;
  }

  private static String nodeName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      throw PeapodException.internal("can not read the host's name", e);
    }
  }

  private static List<ServerServiceDefinition> join(List<List<ServerServiceDefinition>> parts) {
    return parts.stream().flatMap(List::stream).toList();
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
