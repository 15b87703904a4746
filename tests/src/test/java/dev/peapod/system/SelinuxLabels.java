package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.SELinuxOption;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Containers that SELinux confines, by the small policy in `tests/guest`. For a boot of the guest of its own: no kernel
/// has both SELinux and AppArmor on.
@SuppressWarnings("NullAway.Init")
class SelinuxLabels extends SystemTest {
  private static final String LEVEL = "s0:c1,c2";
  private static final String FILES = "system_u:object_r:container_file_t:";
  private static final String UNLABELLED = "system_u:object_r:file_t:s0";

  private CriPods cri;

  @BeforeAll
  void useTheLoadedImage() {
    assertThat(Path.of("/sys/fs/selinux/enforce")).hasContent("1");
    // As file contexts say of a run-time's storage on a machine with a policy for containers.
    Shell.run("chcon", "-R", "system_u:object_r:container_ro_file_t:s0", peapod.root().toString()).ok();
    cri = new CriPods(peapod::podsCri, peapod.directory().resolve("cri-logs"), Fixtures.BUSYBOX);
  }

  private static SELinuxOption level(String level) {
    return SELinuxOption.newBuilder().setLevel(level).build();
  }

  private PodSandboxConfig.Builder sandbox(String name) {
    PodSandboxConfig.Builder sandbox = cri.sandbox(name);
    sandbox.getLinuxBuilder().getSecurityContextBuilder().setSelinuxOptions(level(LEVEL));
    return sandbox;
  }

  private ContainerConfig.Builder container(String name, String level) {
    ContainerConfig.Builder container = cri.script(name, "exec sleep 100000");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setSelinuxOptions(level(level))
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.CONTAINER);
    return container;
  }

  private static Mount.Builder mount(Path path, boolean relabel) {
    return Mount.newBuilder()
        .setHostPath(path.toString())
        .setContainerPath("/volume")
        .setSelinuxRelabel(relabel);
  }

  /// What the machine calls a file; of a link, what it calls the link.
  private static String label(Path file) {
    return Shell.run("stat", "-c", "%C", file.toString()).ok().strip();
  }

  private Path volume(String name) throws IOException {
    Path volume = Files.createDirectories(peapod.directory().resolve(name).resolve("volume"));
    Files.writeString(volume.resolveSibling("outside"), "outside");
    Files.createDirectory(volume.resolve("below"));
    Files.writeString(volume.resolve("below/file"), "fine");
    Files.createSymbolicLink(volume.resolve("link"), volume.resolveSibling("outside"));
    return volume;
  }

  @Test
  void processesAndWhatIsMadeForThemAreLabelled() {
    PodSandboxConfig.Builder sandbox = sandbox("labelled");
    CriPods.Started pod = cri.start(sandbox, container("main", LEVEL));
    String other = cri.create(pod.sandbox(), sandbox, container("other", LEVEL));
    cri.start(other);
    for (String process : List.of("1", "self")) {
      assertThat(cri.output(pod.container(), "cat /proc/" + process + "/attr/current | tr -d '\\000'"))
          .isEqualTo("system_u:system_r:container_t:" + LEVEL);
    }
    Path root =
        Path.of("/proc/" + PodProcesses.of(peapod, "sleep 100000").getFirst().pid() + "/root");
    for (String path :
        List.of(".", "bin/sh", "dev", "dev/pts", "dev/shm", "dev/mqueue", "etc/hosts", "etc/resolv.conf")) {
      assertThat(label(root.resolve(path))).as("/" + path).isEqualTo(FILES + LEVEL);
    }
    assertThat(cri.output(pod.container(), "echo shared > /dev/shm/x; echo x > /tmp-x; cat /etc/hosts > /dev/null && cat /tmp-x"))
        .isEqualTo("x");
    assertThat(cri.output(other, "cat /dev/shm/x")).isEqualTo("shared");
    cri.remove(pod.sandbox());
  }

  @Test
  void aVolumeCanBeUsedOnceItIsRelabelled() throws IOException {
    Path volume = volume("relabelled");
    String read = "cat /volume/below/file";
    PodSandboxConfig.Builder sandbox = sandbox("volumes");
    CriPods.Started pod =
        cri.start(sandbox, container("kept-out", LEVEL).addMounts(mount(volume, false)));
    ExecSyncResponse denied = cri.exec(pod.container(), read);
    assertThat(denied.getStderr().toStringUtf8()).contains("Permission denied");
    assertThat(label(volume.resolve("below/file"))).isEqualTo(UNLABELLED);

    String let = cri.create(pod.sandbox(), sandbox, container("let", LEVEL).addMounts(mount(volume, true)));
    cri.start(let);
    assertThat(cri.output(let, read + "; echo new > /volume/new; cat /volume/new")).isEqualTo("finenew");
    assertThat(cri.output(pod.container(), read)).isEqualTo("fine");
    for (Path labelled : List.of(volume, volume.resolve("below/file"), volume.resolve("link"), volume.resolve("new"))) {
      assertThat(label(labelled)).isEqualTo(FILES + LEVEL);
    }
    assertThat(label(volume.resolveSibling("outside"))).isEqualTo(UNLABELLED);

    String stranger =
        cri.create(pod.sandbox(), sandbox, container("stranger", "s0:c3,c4").addMounts(mount(volume, false)));
    cri.start(stranger);
    assertThat(cri.exec(stranger, read).getStderr().toStringUtf8()).contains("Permission denied");
    cri.remove(pod.sandbox());
  }

  @Test
  void nothingIsRelabelledForAContainerWithoutALabel() throws IOException {
    Path volume = volume("unlabelled");
    CriPods.Started pod =
        cri.start(
            cri.sandbox("unlabelled"),
            cri.script("main", "exec sleep 100000").addMounts(mount(volume, true)));
    assertThat(cri.output(pod.container(), "cat /volume/below/file")).isEqualTo("fine");
    assertThat(label(volume.resolve("below/file"))).isEqualTo(UNLABELLED);
    cri.remove(pod.sandbox());
  }

  @Test
  void whatIsTheWholeMachinesAndWhatIsNoLabelIsRefused() {
    PodSandboxConfig.Builder sandbox = sandbox("refused");
    String id = cri.run(sandbox);
    String before = label(Path.of("/usr"));
    refuses("mounts[0].selinux_relabel", () -> cri.create(id, sandbox, container("usr", LEVEL).addMounts(mount(Path.of("/usr"), true))));
    assertThat(label(Path.of("/usr"))).isEqualTo(before);
    refuses("is not a label", () -> cri.create(id, sandbox, container("category", "s0:c900")));
    ContainerConfig.Builder type = container("type", LEVEL);
    type.getLinuxBuilder().getSecurityContextBuilder().getSelinuxOptionsBuilder().setType("nonsense_t");
    refuses("nonsense_t", () -> cri.create(id, sandbox, type));
    PodSandboxConfig.Builder bad = cri.sandbox("bad");
    bad.getLinuxBuilder().getSecurityContextBuilder().setSelinuxOptions(level("s7"));
    refuses("is not a label", () -> cri.run(bad));
    cri.remove(id);
  }

  private static void refuses(String why, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .hasMessageContaining("selinux")
        .hasMessageContaining(why);
  }
}
