package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.SecurityProfile;
import dev.peapod.proto.runtime.v1.SecurityProfile.ProfileType;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Containers that AppArmor confines. For the guest, whose kernel has it; they go with a class that has a daemon, since one more
/// takes long to start there.
interface AppArmorProfiles {
  String NAME = "peapod-test-profile";
  String PROFILE =
      """
      profile %s flags=(attach_disconnected, mediate_deleted) {
        file,
        capability,
        signal,
        deny /tmp/forbidden/** w,
        deny /forbidden w,
      }
      """
          .formatted(NAME);

  Peapod daemon();

  CriPods cri();

  @BeforeAll
  default void loadTheProfile() {
    assertThat(Shell.run(Map.of(), PROFILE, List.of("apparmor_parser", "--replace", "--skip-cache")).exit()).isZero();
  }

  @AfterAll
  default void unloadTheProfile() {
    assertThat(Shell.run(Map.of(), PROFILE, List.of("apparmor_parser", "--remove", "--skip-cache")).exit()).isZero();
  }

  private static SecurityProfile profile(ProfileType type, String name) {
    return SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(name).build();
  }

  /// A container that writes what confines it to its log, and then stays.
  private ContainerConfig.Builder showing() {
    return cri().script("main", "cat /proc/self/attr/current; exec sleep 100000");
  }

  private static LinuxContainerSecurityContext.Builder security(ContainerConfig.Builder container) {
    return container.getLinuxBuilder().getSecurityContextBuilder();
  }

  private String label(CriPods.Started pod) {
    String own = cri().exec(pod.container(), "cat /proc/1/attr/current").getStdout().toStringUtf8().strip();
    assertThat(cri().exec(pod.container(), "cat /proc/self/attr/current").getStdout().toStringUtf8().strip())
        .as("a command is confined like the main process")
        .isEqualTo(own);
    return own;
  }

  private CriPods.Started start(ContainerConfig.Builder container) {
    PodSandboxConfig.Builder sandbox = cri().sandbox("confined");
    // The main process is number 1 in it.
    security(container).getNamespaceOptionsBuilder().setPid(NamespaceMode.CONTAINER);
    return cri().start(sandbox, container);
  }

  @Test
  default void aProfileOfTheMachineIsApplied() {
    ContainerConfig.Builder container = showing();
    security(container).setApparmor(profile(ProfileType.Localhost, NAME));
    CriPods.Started pod = start(container);
    assertThat(label(pod)).isEqualTo(NAME + " (enforce)");
    ExecSyncResponse written = cri().exec(pod.container(), "echo x > /allowed && echo fine; echo x > /forbidden");
    assertThat(written.getStdout().toStringUtf8()).isEqualTo("fine\n");
    assertThat(written.getStderr().toStringUtf8()).contains("/forbidden").contains("Permission denied");
    assertThat(cri().exec(pod.container(), "test -e /forbidden").getExitCode()).isEqualTo(1);
    cri().remove(pod.sandbox());
  }

  @Test
  default void theDefaultIsPeapodsOwn() {
    for (boolean named : new boolean[] {false, true}) {
      ContainerConfig.Builder container = showing();
      security(container).getCapabilitiesBuilder().addAddCapabilities("SYS_ADMIN");
      if (named) {
        security(container).setApparmor(profile(ProfileType.RuntimeDefault, ""));
      }
      CriPods.Started pod = start(container);
      assertThat(label(pod)).isEqualTo("peapod-default (enforce)");
      ExecSyncResponse mount = cri().exec(pod.container(), "mkdir -p /m && mount -t tmpfs none /m");
      assertThat(mount.getExitCode()).isNotZero();
      // What containers are for still goes, and signals among them and from outside.
      assertThat(
              cri().exec(
                      pod.container(),
                      "echo x > /file && chmod 600 /file && ln -s file /link && cat /link && sleep 100 & kill $! && wait $!;"
                          + " ls /proc/1/root/ > /dev/null && echo all")
                  .getStdout()
                  .toStringUtf8())
          .contains("all");
      daemon().podsCri().stopContainer(stop(pod));
      assertThat(cri().status(pod.container()).getExitCode()).isEqualTo(137);
      cri().remove(pod.sandbox());
    }
  }

  private static StopContainerRequest stop(CriPods.Started pod) {
    return StopContainerRequest.newBuilder()
        .setContainerId(pod.container())
        .setTimeout(0)
        .build();
  }

  @Test
  default void theDefaultKeepsTheKernelsSwitchesEvenWhereNothingIsMasked() {
    ContainerConfig.Builder container = showing();
    PodSandboxConfig.Builder sandbox = cri().sandbox("switches");
    security(container).getCapabilitiesBuilder().addAddCapabilities("ALL");
    // Writable, as /proc is not by default.
    security(container).addMaskedPaths("/nothing").addReadonlyPaths("/nothing");
    CriPods.Started pod = cri().start(sandbox, container);
    for (String file : List.of("/proc/sysrq-trigger", "/proc/sys/vm/swappiness", "/proc/sys/kernel/core_pattern", "/proc/sys/fs/suid_dumpable")) {
      ExecSyncResponse written = cri().exec(pod.container(), "cat " + file + " > /value 2>/dev/null; cat /value > " + file);
      assertThat(written.getExitCode()).as(file).isNotZero();
      assertThat(written.getStderr().toStringUtf8()).as(file).contains("Permission denied");
    }
    cri().remove(pod.sandbox());
  }

  @Test
  default void unconfinedAndPrivilegedContainersHaveNone() {
    ContainerConfig.Builder unconfined = showing();
    security(unconfined).setApparmor(profile(ProfileType.Unconfined, ""));
    CriPods.Started pod = start(unconfined);
    assertThat(label(pod)).isEqualTo("unconfined");
    cri().remove(pod.sandbox());

    PodSandboxConfig.Builder sandbox = cri().sandbox("privileged");
    sandbox.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    ContainerConfig.Builder privileged = showing();
    security(privileged).setPrivileged(true).getNamespaceOptionsBuilder().setPid(NamespaceMode.CONTAINER);
    pod = cri().start(sandbox, privileged);
    assertThat(label(pod)).isEqualTo("unconfined");
    cri().remove(pod.sandbox());
  }

  @Test
  default void aProfileThatIsNotLoadedIsRefused() {
    for (String name : List.of("peapod-no-such-profile", NAME + " (enforce)", NAME + "\n")) {
      ContainerConfig.Builder container = showing();
      security(container).setApparmor(profile(ProfileType.Localhost, name));
      PodSandboxConfig.Builder sandbox = cri().sandbox("refused");
      String id = cri().run(sandbox);
      assertThatThrownBy(() -> cri().create(id, sandbox, container))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
          .hasMessageContaining("security_context.apparmor")
          .hasMessageContaining("is not loaded");
      cri().remove(id);
    }
  }
}
