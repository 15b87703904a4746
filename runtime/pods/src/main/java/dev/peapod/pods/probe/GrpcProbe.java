package dev.peapod.pods.probe;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// A probe by gRPC's health protocol, without TLS, on a fresh connection.
final class GrpcProbe {
  private GrpcProbe() {}

  static ProbeResult perform(ProbeAction.Grpc grpc, Duration timeout) {
    String what = "service \"" + grpc.service() + "\" at " + grpc.host() + ":" + grpc.port() + ": ";
    ManagedChannel channel =
        Grpc.newChannelBuilderForAddress(
                grpc.host(), grpc.port(), InsecureChannelCredentials.create())
            .userAgent("kube-probe/1.0")
            .disableRetry()
            .build();
    try {
      HealthCheckResponse answer =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS)
              .check(HealthCheckRequest.newBuilder().setService(grpc.service()).build());
      return answer.getStatus() == ServingStatus.SERVING
          ? ProbeResult.ok(what + "SERVING")
          : ProbeResult.failed(
              what + "service unhealthy (responded with \"" + answer.getStatus() + "\")");
    } catch (StatusRuntimeException e) {
      return ProbeResult.failed(what + reason(e.getStatus(), timeout));
    } finally {
      channel.shutdownNow();
    }
  }

  private static String reason(Status status, Duration timeout) {
    return switch (status.getCode()) {
      case UNIMPLEMENTED ->
          "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
      case DEADLINE_EXCEEDED ->
          "timeout: health rpc did not complete within " + timeout.toSeconds() + "s";
      case UNAVAILABLE -> "failed to connect: " + status.getDescription();
      default -> "error: health rpc failed: " + status.getCode() + " " + status.getDescription();
    };
  }
}
