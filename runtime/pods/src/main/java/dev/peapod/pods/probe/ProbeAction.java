package dev.peapod.pods.probe;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// What a probe does.
public sealed interface ProbeAction {
  /// A GET whose answer must be 200 to 399.
  ///
  /// @param headers name and value, in order
  record Http(
      String scheme, String host, int port, String path, List<Map.Entry<String, String>> headers)
      implements ProbeAction {
    /// Sends the request once, for its own sake: any answer is a success.
    public ProbeResult reach(Duration timeout) {
      return HttpProbe.reach(this, timeout);
    }
  }

  /// A connection that must come about.
  record Tcp(String host, int port) implements ProbeAction {}

  /// A health check by gRPC that must answer SERVING.
  ///
  /// @param service empty: the server as a whole
  record Grpc(String host, int port, String service) implements ProbeAction {}

  /// A command in the container that must exit with 0.
  record Exec(List<String> command) implements ProbeAction {}

  /// Runs a command in the container.
  @FunctionalInterface
  interface CommandRunner {
    /// Never throws: what goes wrong is a failed result.
    ProbeResult run(List<String> command, Duration timeout);
  }

  /// Does it once. Blocks for `timeout` at most; an interrupt ends it earlier.
  default ProbeResult perform(Duration timeout, CommandRunner runner) {
    return switch (this) {
      case Http http -> HttpProbe.perform(http, timeout);
      case Tcp tcp -> TcpProbe.perform(tcp, timeout);
      case Grpc grpc -> GrpcProbe.perform(grpc, timeout);
      case Exec exec -> runner.run(exec.command(), timeout);
    };
  }
}
