package dev.peapod.cri;

import dev.peapod.engine.model.SecurityProfile;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.engine.model.SelinuxLabel;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.Capability;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.LinuxSandboxSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.SELinuxOption;
import dev.peapod.proto.runtime.v1.SupplementalGroupsPolicy;
import org.jspecify.annotations.Nullable;

/// A container's security context in the engine's words.
final class SecurityMapping {
  private static final String FIELD = "config.linux.security_context";
  private static final String LOCALHOST = "localhost/";

  private SecurityMapping() {}

  /// @throws PeapodException INVALID or UNIMPLEMENTED naming the field
  static SecuritySpec spec(LinuxContainerSecurityContext context) {
    NamespaceOption namespaces = context.getNamespaceOptions();
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
        seccomp(context),
        apparmor(context),
        selinux(context.getSelinuxOptions()));
  }

  /// Pause runs nothing of the pod, without any privilege: no profile and no label is applied to it (the label is for
  /// what the containers share). What can not be a profile is refused all the same.
  @SuppressWarnings("deprecation") // Older kubelets still send the path.
  static void checkSandbox(LinuxSandboxSecurityContext context, String field) {
    profile(field + ".seccomp", context.getSeccomp());
    profile(field + ".apparmor", context.getApparmor());
    legacy(
        field + ".seccomp_profile_path",
        context.getSeccompProfilePath(),
        SecurityProfile.UNCONFINED);
  }

  private static @Nullable Long id(boolean present, long value) {
    return present ? value : null;
  }

  @SuppressWarnings("deprecation") // Older kubelets still send the path.
  private static SecurityProfile seccomp(LinuxContainerSecurityContext context) {
    return context.hasSeccomp()
        ? profile(FIELD + ".seccomp", context.getSeccomp())
        : legacy(
            FIELD + ".seccomp_profile_path",
            context.getSeccompProfilePath(),
            SecurityProfile.UNCONFINED);
  }

  @SuppressWarnings("deprecation") // Older kubelets still send the profile's name.
  private static SecurityProfile apparmor(LinuxContainerSecurityContext context) {
    return context.hasApparmor()
        ? profile(FIELD + ".apparmor", context.getApparmor())
        : legacy(
            FIELD + ".apparmor_profile",
            context.getApparmorProfile(),
            SecurityProfile.RUNTIME_DEFAULT);
  }

  private static SecurityProfile profile(
      String field, dev.peapod.proto.runtime.v1.SecurityProfile profile) {
    return switch (profile.getProfileType()) {
      case RuntimeDefault -> SecurityProfile.RUNTIME_DEFAULT;
      case Unconfined -> SecurityProfile.UNCONFINED;
      case Localhost -> localhost(field + ".localhost_ref", profile.getLocalhostRef());
      case UNRECOGNIZED -> throw PeapodException.invalid(field + ".profile_type is not known");
    };
  }

  /// Profiles as one text: `unconfined`, `runtime/default`, or `localhost/` and a name.
  private static SecurityProfile legacy(String field, String text, SecurityProfile absent) {
    return switch (text) {
      case "" -> absent;
      case "unconfined" -> SecurityProfile.UNCONFINED;
      case "runtime/default", "docker/default" -> SecurityProfile.RUNTIME_DEFAULT;
      default -> {
        if (!text.startsWith(LOCALHOST)) {
          throw PeapodException.invalid(
              field
                  + " \""
                  + text
                  + "\" is none of unconfined, runtime/default, docker/default and localhost/NAME");
        }
        yield localhost(field, text);
      }
    };
  }

  /// An empty name must never be taken for no profile.
  private static SecurityProfile localhost(String field, String reference) {
    String name =
        reference.startsWith(LOCALHOST) ? reference.substring(LOCALHOST.length()) : reference;
    if (name.isBlank()) {
      throw PeapodException.invalid(field + " names no profile");
    }
    return SecurityProfile.localhost(name);
  }

  /// Null where nothing is asked for.
  static @Nullable SelinuxLabel selinux(SELinuxOption options) {
    SelinuxLabel label =
        new SelinuxLabel(
            options.getUser(), options.getRole(), options.getType(), options.getLevel());
    return label.isEmpty() ? null : label;
  }
}
