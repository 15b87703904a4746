package dev.peapod.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A real `peapodd` in a process of its own, with the class path of the tests.
final class DaemonProcess implements AutoCloseable {
  private static final EventLoopGroup LOOPS =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  private final Process process;
  private final Path errors;

  private DaemonProcess(Process process, Path errors) {
    this.process = process;
    this.errors = errors;
  }

  static DaemonProcess start(Path directory, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(List.of(arguments));
    Path errors = Files.createTempFile(directory, "stderr", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(errors.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(environment);
    return new DaemonProcess(builder.start(), errors);
  }

  /// Waits until the health service answers SERVING on the socket.
  void awaitReady(Path socket) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              assertThat(process.isAlive()).as("running: %s", errors()).isTrue();
              ManagedChannel channel = connect(socket);
              try {
                return HealthGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(Duration.ofSeconds(10))
                        .check(HealthCheckRequest.getDefaultInstance())
                        .getStatus()
                    == ServingStatus.SERVING;
              } catch (StatusRuntimeException e) {
                return false;
              } finally {
                channel.shutdownNow();
              }
            });
  }

  static ManagedChannel connect(Path socket) {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
        .eventLoopGroup(LOOPS)
        .channelType(EpollDomainSocketChannel.class)
        .withOption(io.netty.channel.ChannelOption.SO_KEEPALIVE, null)
        .usePlaintext()
        .build();
  }

  /// Sends SIGTERM.
  void terminate() {
    process.destroy();
  }

  /// Waits for the end and answers the exit code.
  int exitCode() throws InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
    return process.exitValue();
  }

  long pid() {
    return process.pid();
  }

  /// What it has written to standard error so far.
  String errors() throws IOException {
    return Files.readString(errors);
  }

  /// Ends it as a crash would.
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /// Ends it as people do, so that it leaves nothing.
  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      kill();
    }
  }
}
