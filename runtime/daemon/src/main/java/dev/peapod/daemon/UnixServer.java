package dev.peapod.daemon;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.util.MutableHandlerRegistry;
import io.netty.channel.Channel;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A gRPC server that listens from its start on and answers once it has its services. Until then connections wait in the
/// socket's queue.
final class UnixServer implements AutoCloseable {
  private static final long DRAIN_MILLIS = 1_000;

  private final Server server;
  private final Channel listening;
  private final MutableHandlerRegistry services;

  /// @param listening the server's own channel, which does not accept yet
  /// @param services the server's, none yet
  UnixServer(Server server, Channel listening, MutableHandlerRegistry services) {
    this.server = server;
    this.listening = listening;
    this.services = services;
  }

  /// Answers from now on.
  void serve(List<ServerServiceDefinition> all) {
    all.forEach(services::addService);
    listening.config().setAutoRead(true);
  }

  /// Stops accepting and lets running calls end for a moment. Doing it again does nothing.
  @Override
  public void close() throws InterruptedException {
    stop(server);
  }

  /// Lets running calls end for a moment.
  static void stop(Server server) throws InterruptedException {
    server.shutdown();
    if (!server.awaitTermination(DRAIN_MILLIS, TimeUnit.MILLISECONDS)) {
      server.shutdownNow();
      server.awaitTermination(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }
}
