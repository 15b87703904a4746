package dev.peapod.cri;

import dev.peapod.proto.runtime.v1.CgroupDriver;
import dev.peapod.proto.runtime.v1.LinuxRuntimeConfiguration;
import dev.peapod.proto.runtime.v1.RuntimeCondition;
import dev.peapod.proto.runtime.v1.RuntimeConfigResponse;
import dev.peapod.proto.runtime.v1.RuntimeFeatures;
import dev.peapod.proto.runtime.v1.RuntimeHandler;
import dev.peapod.proto.runtime.v1.RuntimeHandlerFeatures;
import dev.peapod.proto.runtime.v1.RuntimeStatus;
import dev.peapod.proto.runtime.v1.StatusRequest;
import dev.peapod.proto.runtime.v1.StatusResponse;
import dev.peapod.proto.runtime.v1.UpdateRuntimeConfigRequest;
import dev.peapod.proto.runtime.v1.UpdateRuntimeConfigResponse;
import dev.peapod.proto.runtime.v1.VersionResponse;
import java.util.Map;

/// The CRI's calls for the runtime itself. It answers at all only once it is ready, so its
/// conditions are true.
final class StatusCalls {
  private final String version;

  StatusCalls(String version) {
    this.version = version;
  }

  VersionResponse version() {
    return VersionResponse.newBuilder()
        .setVersion("0.1.0")
        .setRuntimeName("peapod")
        .setRuntimeVersion(version)
        .setRuntimeApiVersion("v1")
        .build();
  }

  StatusResponse status(StatusRequest request) {
    StatusResponse.Builder response =
        StatusResponse.newBuilder()
            .setStatus(
                RuntimeStatus.newBuilder()
                    .addConditions(condition("RuntimeReady"))
                    .addConditions(condition("NetworkReady")))
            .addRuntimeHandlers(
                RuntimeHandler.newBuilder()
                    .setFeatures(
                        RuntimeHandlerFeatures.newBuilder()
                            .setRecursiveReadOnlyMounts(true)
                            .setUserNamespaces(true)))
            .setFeatures(RuntimeFeatures.newBuilder().setSupplementalGroupsPolicy(true));
    if (request.getVerbose()) {
      response.putInfo("info", Info.json(Map.of("version", version)));
    }
    return response.build();
  }

  RuntimeConfigResponse runtimeConfig() {
    return RuntimeConfigResponse.newBuilder()
        .setLinux(LinuxRuntimeConfiguration.newBuilder().setCgroupDriver(CgroupDriver.CGROUPFS))
        .build();
  }

  /// The addresses of pods come from the daemon's or the CNI's configuration; a kubelet that has none to
  /// hand out sends an empty range, which changes nothing.
  UpdateRuntimeConfigResponse updateRuntimeConfig(UpdateRuntimeConfigRequest request) {
    Refusals.unsupported(
        !request.getRuntimeConfig().getNetworkConfig().getPodCidr().isEmpty(),
        "runtime_config.network_config.pod_cidr");
    return UpdateRuntimeConfigResponse.getDefaultInstance();
  }

  private static RuntimeCondition condition(String type) {
    return RuntimeCondition.newBuilder().setType(type).setStatus(true).build();
  }
}
