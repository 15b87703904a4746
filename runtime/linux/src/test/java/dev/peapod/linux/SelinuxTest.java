package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelinuxTest {
  private static final String LABEL = "system_u:object_r:container_file_t:s0:c1,c2";

  @TempDir Path temp;

  @BeforeEach
  void onlyRoot() {
    Root.assumed();
    // Where it is on, the kernel takes labels of its policy alone.
    assumeThat(Selinux.isOn()).isFalse();
  }

  private static String label(Path file) {
    try (Directory root = Directory.open(Path.of("/"))) {
      return root.getXattr(file.toString(), "security.selinux")
          .map(value -> new String(value, StandardCharsets.UTF_8))
          .orElse("");
    }
  }

  @Test
  void allOfATreeIsLabelledAndNothingOutside() throws Exception {
    Path tree = Files.createDirectories(temp.resolve("tree"));
    Path below = Files.createDirectories(tree.resolve("a/b"));
    Path file = Files.writeString(below.resolve("file"), "");
    Path outside = Files.writeString(temp.resolve("outside"), "");
    Path link = Files.createSymbolicLink(tree.resolve("link"), outside);
    Path loop = Files.createSymbolicLink(tree.resolve("loop"), tree);
    Path mounted = Files.createDirectory(tree.resolve("mounted"));
    Path overFile = Files.writeString(tree.resolve("over-file"), "");
    Mounts.bind(Files.createDirectory(temp.resolve("other")), mounted);
    Mounts.bind(outside, overFile);
    try {
      assertThat(Selinux.relabel(tree, LABEL)).isTrue();
    } finally {
      Mounts.unmount(mounted, Mounts.DETACH);
      Mounts.unmount(overFile, Mounts.DETACH);
    }
    for (Path labelled : new Path[] {tree, tree.resolve("a"), below, file, link, loop}) {
      assertThat(label(labelled)).as(labelled.toString()).isEqualTo(LABEL);
    }
    for (Path not : new Path[] {outside, temp.resolve("other"), mounted, overFile, temp}) {
      assertThat(label(not)).as(not.toString()).isEmpty();
    }
  }

  @Test
  void whatHasTheLabelIsNotTouchedAndAnotherIsReplaced() throws Exception {
    Path file = Files.writeString(temp.resolve("file"), "");
    assertThat(Selinux.relabel(file, LABEL)).isTrue();
    Object changed = Files.getAttribute(file, "unix:ctime");
    assertThat(Selinux.relabel(file, LABEL)).isTrue();
    assertThat(Files.getAttribute(file, "unix:ctime")).isEqualTo(changed);
    assertThat(Selinux.relabel(file, LABEL + ",c3")).isTrue();
    assertThat(label(file)).isEqualTo(LABEL + ",c3");
    assertThat(Selinux.relabel(file, LABEL)).isTrue();
    assertThat(label(file)).isEqualTo(LABEL);
  }

  @Test
  void whatBelongsToTheWholeMachineIsLeftAloneHoweverItIsNamed() throws Exception {
    Path link = Files.createSymbolicLink(temp.resolve("link"), Path.of("/usr/bin/.."));
    for (Path path : new Path[] {Path.of("/"), Path.of("/usr/"), Path.of("/etc/../home"), link}) {
      assertThat(Selinux.relabel(path, LABEL)).as(path.toString()).isFalse();
    }
    assertThat(label(Path.of("/usr"))).isEmpty();
  }

  @Test
  void thePolicySaysWhatContainersAreCalled() throws Exception {
    Path file =
        Files.writeString(
            temp.resolve("lxc_contexts"),
            "process = \"system_u:system_r:container_t:s0\"\ncontent = \"x\"\nfile=a:b:c\n");
    assertThat(Selinux.value(file, "process")).contains("system_u:system_r:container_t:s0");
    assertThat(Selinux.value(file, "file")).contains("a:b:c");
    assertThat(Selinux.value(file, "ro_file")).isEqualTo(Optional.empty());
    assertThat(Selinux.value(temp.resolve("none"), "file")).isEmpty();
  }
}
