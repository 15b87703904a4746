package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.proto.peapod.v1.DebugRequest;
import dev.peapod.proto.peapod.v1.DebugResponse;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.EphemeralContainerBuilder;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;
import java.util.UUID;

/// The `Debug` rpc.
final class DebugCall {
  private final Fleet fleet;
  private final DebugCopy copies;

  DebugCall(Fleet fleet, DebugCopy copies) {
    this.fleet = fleet;
    this.copies = copies;
  }

  DebugResponse serve(DebugRequest request) throws InterruptedException {
    if (!request.getCopyTo().isEmpty()) {
      return DebugResponse.newBuilder().setContainer(copies.make(request)).build();
    }
    String name = name(request);
    EphemeralContainerBuilder container =
        new EphemeralContainerBuilder()
            .withName(name)
            .withImage(request.getImage())
            .withCommand(request.getCommandList())
            .withSecurityContext(security(request.getProfile(), new SecurityContext()));
    if (!request.getImagePullPolicy().isEmpty()) {
      container.withImagePullPolicy(request.getImagePullPolicy());
    }
    if (!request.getTarget().isEmpty()) {
      container.withTargetContainerName(request.getTarget());
    }
    if (request.getStdin()) {
      container.withStdin(true);
    }
    if (request.getTty()) {
      container.withTty(true);
    }
    request
        .getEnvMap()
        .forEach((key, value) -> container.addNewEnv().withName(key).withValue(value).endEnv());
    EphemeralContainer made = container.build();
    fleet.debug(new PodKey(request.getNamespace(), request.getName()), made);
    return DebugResponse.newBuilder().setContainer(name).build();
  }

  static String name(DebugRequest request) {
    return request.getContainer().isEmpty()
        ? "debugger-" + UUID.randomUUID().toString().substring(0, 5)
        : request.getContainer();
  }

  /// What kubectl's profiles of that name give to a container.
  ///
  /// @param own what it has already
  static SecurityContext security(String profile, SecurityContext own) {
    SecurityContextBuilder context = new SecurityContextBuilder(own);
    switch (profile) {
      case "", "general" -> context.editOrNewCapabilities().addToAdd("SYS_PTRACE").endCapabilities();
      case "baseline" -> {}
      case "restricted" ->
          context
              .withRunAsNonRoot(true)
              .withAllowPrivilegeEscalation(false)
              .editOrNewCapabilities()
              .addToDrop("ALL")
              .endCapabilities()
              .withNewSeccompProfile()
              .withType("RuntimeDefault")
              .endSeccompProfile();
      case "netadmin" ->
          context.editOrNewCapabilities().addToAdd("NET_ADMIN", "NET_RAW").endCapabilities();
      case "sysadmin" -> context.withPrivileged(true);
      default ->
          throw PeapodException.invalid(
              "there is no profile \"" + profile + "\": they are general, baseline, restricted, netadmin and sysadmin");
    }
    return context.build();
  }
}
