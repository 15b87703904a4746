package dev.peapod.cri;

import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.Capability;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.SecurityProfile;
import dev.peapod.proto.runtime.v1.SupplementalGroupsPolicy;
import org.jspecify.annotations.Nullable;

/// A container's security context in the engine's words.
final class SecurityMapping {
  private static final String FIELD = "config.linux.security_context";

  private SecurityMapping() {}

  /// @throws PeapodException INVALID or UNIMPLEMENTED naming the field
  static SecuritySpec spec(LinuxContainerSecurityContext context) {
    NamespaceOption namespaces = context.getNamespaceOptions();
    Refusals.unsupported(context.hasSelinuxOptions(), FIELD + ".selinux_options");
    refuseAppArmor(context);
    Capability capabilities = context.getCapabilities();
    return new SecuritySpec(
        capabilities.getAddCapabilitiesList(),
        capabilities.getDropCapabilitiesList(),
        capabilities.getAddAmbientCapabilitiesList(),
        context.getPrivileged(),
        Namespaces.mode(namespaces.getPid(), FIELD + ".namespace_options.pid"),
        namespaces.getTargetId(),
        id(context.hasRunAsUser(), context.getRunAsUser().getValue()),
        id(context.hasRunAsGroup(), context.getRunAsGroup().getValue()),
        context.getRunAsUsername(),
        context.getSupplementalGroupsList(),
        context.getSupplementalGroupsPolicy() == SupplementalGroupsPolicy.Strict,
        context.getReadonlyRootfs(),
        context.getNoNewPrivs(),
        context.getMaskedPathsList(),
        context.getReadonlyPathsList(),
        seccomp(context));
  }

  private static @Nullable Long id(boolean present, long value) {
    return present ? value : null;
  }

  @SuppressWarnings("deprecation") // Older kubelets still send the path.
  private static SecuritySpec.Seccomp seccomp(LinuxContainerSecurityContext context) {
    if (!context.hasSeccomp()) {
      return legacySeccomp(context.getSeccompProfilePath());
    }
    SecurityProfile profile = context.getSeccomp();
    return switch (profile.getProfileType()) {
      case RuntimeDefault -> SecuritySpec.Seccomp.RUNTIME_DEFAULT;
      case Unconfined -> SecuritySpec.Seccomp.UNCONFINED;
      case Localhost -> {
        if (profile.getLocalhostRef().isEmpty()) {
          throw PeapodException.invalid(
              FIELD + ".seccomp.localhost_ref is empty, but profile_type is Localhost");
        }
        Refusals.unsupported(true, FIELD + ".seccomp of type Localhost");
        yield SecuritySpec.Seccomp.UNCONFINED;
      }
      case UNRECOGNIZED ->
          throw PeapodException.invalid(FIELD + ".seccomp.profile_type is not known");
    };
  }

  private static SecuritySpec.Seccomp legacySeccomp(String profile) {
    return switch (profile) {
      case "", "unconfined" -> SecuritySpec.Seccomp.UNCONFINED;
      case "runtime/default", "docker/default" -> SecuritySpec.Seccomp.RUNTIME_DEFAULT;
      default -> {
        Refusals.unsupported(true, FIELD + ".seccomp_profile_path \"" + profile + "\"");
        yield SecuritySpec.Seccomp.UNCONFINED;
      }
    };
  }

  /// The runtime's default AppArmor profile is none; a profile of the user's own can not be
  /// applied.
  @SuppressWarnings("deprecation") // Older kubelets still send the profile's name.
  private static void refuseAppArmor(LinuxContainerSecurityContext context) {
    Refusals.unsupported(
        context.getApparmor().getProfileType() == SecurityProfile.ProfileType.Localhost,
        FIELD + ".apparmor of type Localhost");
    String legacy = context.getApparmorProfile();
    Refusals.unsupported(
        !legacy.isEmpty() && !legacy.equals("unconfined") && !legacy.equals("runtime/default"),
        FIELD + ".apparmor_profile \"" + legacy + "\"");
  }
}
