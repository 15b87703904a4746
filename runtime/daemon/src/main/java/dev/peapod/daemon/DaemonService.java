package dev.peapod.daemon;

import dev.peapod.proto.peapod.v1.DaemonGrpc;
import dev.peapod.proto.peapod.v1.DaemonInfo;
import dev.peapod.proto.peapod.v1.DaemonInfoRequest;
import io.grpc.stub.StreamObserver;
import java.time.Instant;

/// Says which daemon answers and where it keeps its things.
final class DaemonService extends DaemonGrpc.DaemonImplBase {
  private final DaemonInfo info;

  DaemonService(Config config) {
    Instant now = Instant.now();
    this.info =
        DaemonInfo.newBuilder()
            .setVersion(CommandLine.version())
            .setPid((int) ProcessHandle.current().pid())
            .setStartedNs(now.getEpochSecond() * 1_000_000_000L + now.getNano())
            .setRoot(config.root().toString())
            .setState(config.state().toString())
            .setLogRoot(config.logRoot().toString())
            .setRuntimeName("peapod")
            .setRuntimeVersion(CommandLine.version())
            .build();
  }

  @Override
  public void info(DaemonInfoRequest request, StreamObserver<DaemonInfo> answer) {
    answer.onNext(info);
    answer.onCompleted();
  }
}
