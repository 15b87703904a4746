package dev.peapod.daemon;

import dev.peapod.proto.peapod.v1.DaemonGrpc;
import dev.peapod.proto.peapod.v1.DaemonInfo;
import dev.peapod.proto.peapod.v1.DaemonInfoRequest;
import dev.peapod.proto.runtime.v1.VersionResponse;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/// Says which daemon answers and where it keeps its things.
final class DaemonService extends DaemonGrpc.DaemonImplBase {
  private final DaemonInfo info;
  private final Optional<Supplier<VersionResponse>> runtime;

  /// @param runtime asked for each time, where it is not Peapod's own
  DaemonService(Config config, Supplier<VersionResponse> runtime) {
    this.runtime = config.runtimeEndpoint().map(endpoint -> runtime);
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
    DaemonInfo.Builder now = info.toBuilder();
    if (runtime.isPresent()) {
      VersionResponse version = runtime.get().get();
      now.setRuntimeName(version.getRuntimeName()).setRuntimeVersion(version.getRuntimeVersion());
    }
    answer.onNext(now.build());
    answer.onCompleted();
  }
}
