package dev.peapod.engine;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.EnvVar;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SecurityProfile;
import dev.peapod.engine.model.SecuritySpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Container specs with one thing changed.
final class Specs {
  private Specs() {}

  private static ContainerSpec copy(
      ContainerSpec s,
      List<String> command,
      String workingDir,
      List<EnvVar> env,
      List<MountSpec> mounts,
      ResourceSpec resources,
      SecuritySpec security) {
    return new ContainerSpec(
        s.name(),
        s.attempt(),
        s.image(),
        s.userSpecifiedImage(),
        command,
        s.args(),
        workingDir,
        env,
        mounts,
        s.devices(),
        s.labels(),
        s.annotations(),
        s.logPath(),
        s.stdin(),
        s.stdinOnce(),
        s.tty(),
        resources,
        security,
        s.stopSignal());
  }

  static ContainerSpec withCommand(ContainerSpec s, List<String> command) {
    return copy(s, command, s.workingDir(), s.env(), s.mounts(), s.resources(), s.security());
  }

  static ContainerSpec withWorkingDir(ContainerSpec s, String workingDir) {
    return copy(s, s.command(), workingDir, s.env(), s.mounts(), s.resources(), s.security());
  }

  static ContainerSpec withEnv(ContainerSpec s, EnvVar... env) {
    return copy(
        s, s.command(), s.workingDir(), List.of(env), s.mounts(), s.resources(), s.security());
  }

  static ContainerSpec withMounts(ContainerSpec s, MountSpec... mounts) {
    return copy(
        s, s.command(), s.workingDir(), s.env(), List.of(mounts), s.resources(), s.security());
  }

  static ContainerSpec withResources(ContainerSpec s, ResourceSpec resources) {
    return copy(s, s.command(), s.workingDir(), s.env(), s.mounts(), resources, s.security());
  }

  static ContainerSpec withSecurity(ContainerSpec s, SecuritySpec security) {
    return copy(s, s.command(), s.workingDir(), s.env(), s.mounts(), s.resources(), security);
  }

  static SecuritySpec user(
      @Nullable Long user, @Nullable Long group, String name, List<Long> groups, boolean strict) {
    return new SecuritySpec(
        List.of(),
        List.of(),
        List.of(),
        false,
        NamespaceMode.POD,
        "",
        user,
        group,
        name,
        groups,
        strict,
        false,
        false,
        List.of(),
        List.of(),
        SecurityProfile.UNCONFINED,
        SecurityProfile.RUNTIME_DEFAULT,
        null);
  }

  static SecuritySpec capabilities(List<String> add, List<String> drop, boolean noNewPrivileges) {
    return new SecuritySpec(
        add,
        drop,
        List.of(),
        false,
        NamespaceMode.POD,
        "",
        null,
        null,
        "",
        List.of(),
        false,
        false,
        noNewPrivileges,
        List.of(),
        List.of(),
        SecurityProfile.UNCONFINED,
        SecurityProfile.RUNTIME_DEFAULT,
        null);
  }

  static SecuritySpec pid(NamespaceMode mode, String target) {
    return new SecuritySpec(
        List.of(),
        List.of(),
        List.of(),
        false,
        mode,
        target,
        null,
        null,
        "",
        List.of(),
        false,
        false,
        false,
        List.of(),
        List.of(),
        SecurityProfile.UNCONFINED,
        SecurityProfile.RUNTIME_DEFAULT,
        null);
  }

  static SecuritySpec readonlyRootfs() {
    return new SecuritySpec(
        List.of(),
        List.of(),
        List.of(),
        false,
        NamespaceMode.POD,
        "",
        null,
        null,
        "",
        List.of(),
        false,
        true,
        false,
        List.of(),
        List.of(),
        SecurityProfile.UNCONFINED,
        SecurityProfile.RUNTIME_DEFAULT,
        null);
  }
}
