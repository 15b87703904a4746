package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
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
  private static final System.Logger LOG = System.getLogger(StatusCalls.class.getName());

  private final PodRuntime runtime;
  private final String version;

  StatusCalls(PodRuntime runtime, String version) {
    this.runtime = runtime;
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
            .setFeatures(
                RuntimeFeatures.newBuilder()
                    .setSupplementalGroupsPolicy(true)
                    .setMountOptions(true));
    if (request.getVerbose()) {
      response.putInfo("info", Info.json(Map.of("version", version)));
    }
    return response.build();
  }

  RuntimeConfigResponse runtimeConfig() {
    return RuntimeConfigResponse.newBuilder()
        .setLinux(
            LinuxRuntimeConfiguration.newBuilder()
                .setCgroupDriver(
                    switch (runtime.cgroupDriver()) {
                      case CGROUPFS -> CgroupDriver.CGROUPFS;
                      case SYSTEMD -> CgroupDriver.SYSTEMD;
                    }))
        .build();
  }

  /// A kubelet sends its node's range. Where a CNI configuration says where addresses come from, that decides, as with
  /// other runtimes; a kubelet that was refused would only ask again and again.
  UpdateRuntimeConfigResponse updateRuntimeConfig(UpdateRuntimeConfigRequest request) {
    String cidr = request.getRuntimeConfig().getNetworkConfig().getPodCidr();
    if (!cidr.isEmpty() && !runtime.changePodRange(cidr)) {
      LOG.log(
          System.Logger.Level.INFO,
          "the CNI configuration decides over the pods'' addresses, not the range {0} that was asked for",
          cidr);
    }
    return UpdateRuntimeConfigResponse.getDefaultInstance();
  }

  private static RuntimeCondition condition(String type) {
    return RuntimeCondition.newBuilder().setType(type).setStatus(true).build();
  }
}
