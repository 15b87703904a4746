package dev.peapod.engine.security;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.state.ExecLabel;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.AppArmor;
import java.util.Optional;

/// What is told to the kernel's security module when a process is executed. An AppArmor profile is applied where the
/// kernel has that, and refused where one is named and the kernel has not.
final class Labels {
  private static final String SPECIAL = " \t\n\0";

  private Labels() {}

  /// The label of a container's processes; nothing: that of the daemon.
  ///
  /// @param selinux what SELinux calls it, if that is asked for
  /// @param ours what the run-time's default of AppArmor is
  /// @throws PeapodException INVALID naming the field
  static Optional<ExecLabel> resolve(
      ContainerSpec spec, Optional<SelinuxContext> selinux, DefaultAppArmor ours) {
    String container = "container \"" + spec.name() + "\": security_context.";
    Optional<ExecLabel> apparmor =
        switch (spec.security().apparmor().kind()) {
          case UNCONFINED -> Optional.empty();
          case LOCALHOST ->
              Optional.of(apparmor(container + "apparmor", spec.security().apparmor().name()));
          case RUNTIME_DEFAULT ->
              spec.security().privileged() ? Optional.empty() : ours.name().map(Labels::apparmor);
        };
    return selinux.map(context -> new ExecLabel("exec", context.processes())).or(() -> apparmor);
  }

  private static ExecLabel apparmor(String field, String name) {
    if (!AppArmor.isOn()) {
      throw PeapodException.invalid(
          field + ": profile \"" + name + "\" is asked for, but this kernel has no AppArmor");
    }
    boolean plain = name.chars().noneMatch(c -> SPECIAL.indexOf(c) >= 0);
    if (!plain || !AppArmor.isLoaded(name).orElse(true)) {
      throw PeapodException.invalid(
          field + ": profile \"" + name + "\" is not loaded; see apparmor_parser(8)");
    }
    return apparmor(name);
  }

  private static ExecLabel apparmor(String profile) {
    return new ExecLabel("apparmor/exec", "exec " + profile);
  }
}
