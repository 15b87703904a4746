package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.LayoutBuilder;
import dev.peapod.image.testing.LayoutBuilder.Layer;
import dev.peapod.image.testing.LayoutBuilder.Made;
import dev.peapod.image.testing.TarBuilder;
import dev.peapod.linux.Directory;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Open;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers' root filesystems as the kernel shows them, whiteouts and all.
class SnapshotsTest {
  @TempDir Path root;
  private ImageStore store;
  private Snapshots snapshots;
  private Image image;

  @BeforeEach
  void load() {
    Commands.requireRoot();
    store = ImageStore.open(root, RegistryConfig.none());
    snapshots = Snapshots.open(root);
    LayoutBuilder builder = new LayoutBuilder();
    Made made =
        builder.image(
            "",
            Layer.gzip(
                new TarBuilder()
                    .owner(3, 4)
                    .directory("./", 0751)
                    .directory("keep/", 0755)
                    .file("keep/old", 0644, "old")
                    .directory("hidden/", 0755)
                    .file("hidden/old", 0644, "old")
                    .file("gone", 0644, "gone")
                    .directory("tmp/", 01777)),
            Layer.gzip(
                new TarBuilder()
                    .file(".wh.gone", 0, "")
                    .file("hidden/.wh..wh..opq", 0, "")
                    .file("hidden/new", 0644, "new")
                    .file("tmp/x", 0644, "x")
                    .file("keep/new", 0644, "new")));
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, "");
    image =
        store
            .load("pods", new ByteArrayInputStream(builder.tar().bytes()), ProgressListener.NONE)
            .getFirst();
  }

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
    }
  }

  private static List<String> names(Directory mount, String path) {
    return mount.list(path).stream().map(Directory.Entry::name).sorted().toList();
  }

  private static void write(Directory mount, String path, String text) throws Exception {
    try (Fd file = mount.create(path, 0644)) {
      Files.writeString(Path.of("/proc/self/fd/" + file.number()), text);
    }
  }

  private Directory mount(Snapshot snapshot) {
    try (Fd mount = snapshots.mount(snapshot)) {
      return Directory.of(
          Fd.open("/proc/self/fd/" + mount.number() + "/.", Open.RDONLY | Open.DIRECTORY));
    }
  }

  @Test
  void showsTheLayersOverEachOther() throws Exception {
    Snapshot snapshot = snapshots.prepare("c1", image);
    try (Directory mount = mount(snapshot)) {
      assertThat(names(mount, "")).containsExactly("dev", "etc", "hidden", "keep", "proc", "sys", "tmp");
      assertThat(names(mount, "etc")).containsExactly("hostname", "hosts", "resolv.conf");
      assertThat(names(mount, "hidden")).containsExactly("new");
      assertThat(names(mount, "keep")).containsExactly("new", "old");
      assertThat(mount.stat("").orElseThrow().mode() & 07777).isEqualTo(0751);
      assertThat(mount.stat("").orElseThrow().uid()).isEqualTo(3);
      assertThat(mount.stat("").orElseThrow().gid()).isEqualTo(4);
      assertThat(mount.stat("tmp").orElseThrow().mode() & 07777).isEqualTo(01777);
      write(mount, "written", "by the container");
    }
    assertThat(snapshot.upper().resolve("written")).hasContent("by the container");
    assertThat(image.layers()).allSatisfy(l -> assertThat(l.resolve("written")).doesNotExist());
    assertThat(snapshots.usage("c1").inodes()).isEqualTo(2);
    assertThat(snapshots.usage("c1").bytes()).isPositive();
  }

  @Test
  void mountsAgainWhatWasMountedVolatile() throws Exception {
    Snapshot snapshot = snapshots.prepare("c1", image);
    try (Directory mount = mount(snapshot)) {
      write(mount, "first", "1");
    }
    assertThat(snapshots.prepare("c1", image)).isEqualTo(snapshot);
    try (Directory mount = mount(snapshot)) {
      assertThat(new String(mount.readRegular("first", 10), StandardCharsets.UTF_8)).isEqualTo("1");
    }
  }

  @Test
  void removes() {
    Snapshot snapshot = snapshots.prepare("c1", image);
    snapshots.prepare("c2", image);
    snapshots.prepare("c3", image);
    snapshots.remove("c1");
    snapshots.remove("c1");
    assertThat(snapshot.upper()).doesNotExist();
    assertThat(snapshots.usage("c1").bytes()).isZero();
    snapshots.retain(List.of("c3"));
    assertThat(snapshots.directory().resolve("c2")).doesNotExist();
    assertThat(snapshots.directory().resolve("c3/upper")).isDirectory();
  }

  @Test
  void refusesIdsThatArePaths() {
    for (String id : List.of("../x", "a/b", "", ".", "..", "a\0b")) {
      assertThatThrownBy(() -> snapshots.prepare(id, image)).isInstanceOf(PeapodException.class);
      assertThatThrownBy(() -> snapshots.remove(id)).isInstanceOf(PeapodException.class);
    }
  }
}
