package dev.peapod.engine.security;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.SelinuxLabel;
import dev.peapod.engine.state.ExecLabel;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.SecurityModules;
import java.util.Optional;

/// AppArmor profiles and SELinux labels: applied where the kernel has them, refused where one is
/// named and the kernel has not.
final class Labels {
  private static final String SPECIAL = " \t\n\0";

  private Labels() {}

  /// The label of a container's processes; nothing: that of the daemon.
  ///
  /// @param ours what the run-time's default is
  /// @throws PeapodException INVALID naming the field
  static Optional<ExecLabel> resolve(ContainerSpec spec, DefaultAppArmor ours) {
    String container = "container \"" + spec.name() + "\": security_context.";
    Optional<ExecLabel> selinux =
        Optional.ofNullable(spec.security().selinux())
            .map(label -> selinux(container + "selinux_options", label));
    Optional<ExecLabel> apparmor =
        switch (spec.security().apparmor().kind()) {
          case UNCONFINED -> Optional.empty();
          case LOCALHOST ->
              Optional.of(apparmor(container + "apparmor", spec.security().apparmor().name()));
          case RUNTIME_DEFAULT ->
              spec.security().privileged() ? Optional.empty() : ours.name().map(Labels::apparmor);
        };
    return selinux.or(() -> apparmor);
  }

  private static ExecLabel apparmor(String field, String name) {
    if (!SecurityModules.hasAppArmor()) {
      throw PeapodException.invalid(
          field + ": profile \"" + name + "\" is asked for, but this kernel has no AppArmor");
    }
    boolean plain = name.chars().noneMatch(c -> SPECIAL.indexOf(c) >= 0);
    if (!plain || !SecurityModules.isAppArmorProfileLoaded(name).orElse(true)) {
      throw PeapodException.invalid(
          field + ": profile \"" + name + "\" is not loaded; see apparmor_parser(8)");
    }
    return apparmor(name);
  }

  private static ExecLabel apparmor(String profile) {
    return new ExecLabel("apparmor/exec", "exec " + profile);
  }

  private static ExecLabel selinux(String field, SelinuxLabel label) {
    if (!SecurityModules.hasSelinux()) {
      throw PeapodException.invalid(
          field + ": a label is asked for, but this kernel has no SELinux, or no policy for it");
    }
    String text =
        or(label.user(), "system_u")
            + ":"
            + or(label.role(), "system_r")
            + ":"
            + or(label.type(), "container_t")
            + ":"
            + or(label.level(), "s0");
    if (text.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
      throw PeapodException.invalid(field + ": \"" + text + "\" is not a label");
    }
    return new ExecLabel("exec", text);
  }

  private static String or(String text, String otherwise) {
    return text.isEmpty() ? otherwise : text;
  }
}
