package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MountsTest {
  /// The ways to mount an overlay.
  enum Way {
    BEST {
      @Override
      Fd mount(List<Path> lower, Path upper, Path work, boolean vol) {
        return Mounts.overlay(lower, upper, work, vol, "");
      }
    },
    CLASSIC {
      @Override
      Fd mount(List<Path> lower, Path upper, Path work, boolean vol) {
        return Overlay.classic(lower, upper, work, vol, "");
      }
    };

    abstract Fd mount(List<Path> lower, Path upper, Path work, boolean vol);
  }

  @TempDir Path temp;

  @BeforeEach
  void onlyRoot() {
    Root.assumed();
  }

  private Path directory(String name, Map<String, String> files) throws Exception {
    Path directory = Files.createDirectory(temp.resolve(name));
    for (var e : files.entrySet()) {
      Files.writeString(directory.resolve(e.getKey()), e.getValue());
    }
    return directory;
  }

  @ParameterizedTest
  @EnumSource
  void anOverlayShowsItsLayersAndKeepsChangesInTheUpperDirectory(Way way) throws Exception {
    var before = OpenDescriptors.now();
    int mounts = Mounts.self().size();
    Path top = directory("top", Map.of("a", "top", "top", ""));
    Path bottom = directory("bottom", Map.of("a", "bottom", "bottom", ""));
    Path upper = directory("upper", Map.of());
    Path work = directory("work", Map.of());
    try (Fd mount = way.mount(List.of(top, bottom), upper, work, true)) {
      Path seen = Path.of("/proc/self/fd/" + mount.number());
      assertThat(seen.resolve("a")).hasContent("top");
      assertThat(seen.resolve("top")).exists();
      assertThat(seen.resolve("bottom")).exists();
      Files.writeString(seen.resolve("a"), "changed");
      Files.delete(seen.resolve("bottom"));
      assertThat(work.resolve("work/incompat/volatile")).exists();
      assertThat(Mounts.self()).hasSize(mounts);
    }
    assertThat(upper.resolve("a")).hasContent("changed");
    assertThat(Files.getAttribute(upper.resolve("bottom"), "unix:rdev")).isEqualTo(0L);
    assertThat(top.resolve("a")).hasContent("top");
    assertThat(bottom.resolve("bottom")).exists();
    OpenDescriptors.assertNoneSince(before);
  }

  @ParameterizedTest
  @EnumSource
  void anOverlayIsAttachedAndMayBeMountedAgain(Way way) throws Exception {
    Path lower = directory("lower", Map.of("a", "a"));
    Path upper = directory("upper", Map.of());
    Path work = directory("work", Map.of());
    Path target = directory("target", Map.of());
    for (int i = 0; i < 2; i++) {
      try (Fd mount = way.mount(List.of(lower), upper, work, false)) {
        Mounts.attach(mount, target);
      }
      assertThat(target.resolve("a")).hasContent("a");
      assertThat(Mounts.self())
          .anyMatch(m -> m.mountPoint().equals(target) && m.type().equals("overlay"));
      assertThat(Mounts.unmount(target, 0)).isTrue();
    }
    assertThat(target).isEmptyDirectory();
  }

  @ParameterizedTest
  @EnumSource
  void anOverlayTakesManyLayersWithLongOrStrangeNames(Way way) throws Exception {
    List<Path> layers = new ArrayList<>();
    for (int i = 0; i < 128; i++) {
      String name = i == 0 ? "colon:comma,back\\slash" : i + "-" + "long".repeat(60);
      layers.add(directory(name, Map.of("f" + i, "")));
    }
    Path upper = directory("upper:,", Map.of());
    Path work = directory("work" + "k".repeat(240), Map.of());
    try (Fd mount = way.mount(layers, upper, work, true)) {
      try (var list = Files.list(Path.of("/proc/self/fd/" + mount.number()))) {
        assertThat(list).hasSize(128);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMissingLayerIsNamed(Way way) throws Exception {
    var before = OpenDescriptors.now();
    Path upper = directory("upper", Map.of());
    Path work = directory("work", Map.of());
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(() -> way.mount(List.of(temp.resolve("missing")), upper, work, true))
        .withMessageContaining("missing")
        .matches(e -> e.errno() == Errno.ENOENT);
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void anUpperDirectoryOnAnotherFilesystemThanTheWorkDirectoryIsRefused() throws Exception {
    Path lower = directory("lower", Map.of());
    Path upper = directory("upper", Map.of());
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(() -> Mounts.overlay(List.of(lower), upper, Path.of("/dev/shm"), true, ""))
        .withMessageContaining("overlay")
        .matches(e -> e.errno() == Errno.EINVAL);
  }

  @Test
  void aTreeIsCopiedWithOrWithoutWhatIsMountedBelow() throws Exception {
    Path source = directory("source", Map.of("here", ""));
    Files.createDirectory(source.resolve("below"));
    Path other = directory("other", Map.of("there", ""));
    Mounts.bind(other, source.resolve("below"));
    try (Fd alone = Mounts.openTree(source, false);
        Fd deep = Mounts.openTree(source, true)) {
      assertThat(Path.of("/proc/self/fd/" + alone.number(), "here")).exists();
    } finally {
      Mounts.unmount(source.resolve("below"), Mounts.DETACH);
    }
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(() -> Mounts.bind(temp.resolve("none"), source))
        .matches(e -> e.errno() == Errno.ENOENT);
  }

  @Test
  void mountinfoIsParsed() {
    MountInfo m =
        MountInfo.parse(
            "36 35 98:0 /mnt1 /mnt\\040two rw,noatime shared:1 master:2"
                + " - ext3 /dev/root rw,errors=c");
    assertThat(m)
        .isEqualTo(
            new MountInfo(
                36,
                35,
                "98:0",
                "/mnt1",
                Path.of("/mnt two"),
                List.of("rw", "noatime"),
                List.of("shared:1", "master:2"),
                "ext3",
                "/dev/root",
                List.of("rw", "errors=c")));
    assertThat(MountInfo.parse("1 2 0:5 / /proc rw - proc proc rw").propagation()).isEmpty();
    assertThat(Mounts.self()).anyMatch(x -> x.type().equals("proc"));
  }
}
