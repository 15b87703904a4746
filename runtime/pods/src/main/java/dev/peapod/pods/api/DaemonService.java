package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.proto.peapod.v1.DaemonGrpc;
import dev.peapod.proto.peapod.v1.DaemonInfo;
import dev.peapod.proto.peapod.v1.DaemonInfoRequest;
import dev.peapod.proto.runtime.v1.VersionResponse;
import io.grpc.stub.StreamObserver;
import java.time.Instant;

/// `peapod.v1.Daemon`.
public final class DaemonService extends DaemonGrpc.DaemonImplBase {
  private final Cri cri;
  private final PodsConfig config;
  private final String version;
  private final String state;

  public DaemonService(Cri cri, PodsConfig config, String version, String state) {
    this.cri = cri;
    this.config = config;
    this.version = version;
    this.state = state;
  }

  @Override
  public void info(DaemonInfoRequest request, StreamObserver<DaemonInfo> answer) {
    Calls.serve(
        answer,
        () -> {
          ProcessHandle self = ProcessHandle.current();
          Instant started = self.info().startInstant().orElse(Instant.EPOCH);
          DaemonInfo.Builder info =
              DaemonInfo.newBuilder()
                  .setVersion(version)
                  .setPid((int) self.pid())
                  .setStartedNs(started.getEpochSecond() * 1_000_000_000L + started.getNano())
                  .setRoot(config.root().toString())
                  .setState(state)
                  .setLogRoot(config.logRoot().toString());
          try {
            VersionResponse runtime = cri.version();
            info.setRuntimeName(runtime.getRuntimeName()).setRuntimeVersion(runtime.getRuntimeVersion());
          } catch (PeapodException e) {
            info.setRuntimeName("unavailable: " + e.getMessage());
          }
          answer.onNext(info.build());
        });
  }
}
