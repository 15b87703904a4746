package dev.peapod.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.image.layer.TarEntry;
import dev.peapod.image.layer.TarWriter;
import dev.peapod.linux.FileAttributes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Archives of nobody's confidence.
class PodArchiveTest {
  private static final FileAttributes PLAIN = new FileAttributes(0644, 0, 0, 0, 0, Map.of());

  @TempDir Path temp;
  private Path directory;

  @BeforeEach
  void makeTheDirectory() throws IOException {
    directory = Files.createDirectory(temp.resolve("in"));
  }

  private Path archive(TarEntry... entries) throws IOException {
    Path archive = temp.resolve("archive.tar");
    try (TarWriter tar = new TarWriter(Files.newOutputStream(archive))) {
      for (TarEntry entry : entries) {
        tar.add(entry, new ByteArrayInputStream(new byte[(int) entry.size()]));
      }
    }
    return archive;
  }

  private static TarEntry file(String name) {
    return new TarEntry(name, '0', "", 600, 0, 0, PLAIN);
  }

  private List<String> made() throws IOException {
    try (Stream<Path> all = Files.walk(temp)) {
      return all.map(path -> temp.relativize(path).toString())
          .filter(path -> !path.isEmpty() && !path.equals("archive.tar") && !path.equals("in"))
          .sorted()
          .toList();
    }
  }

  @Test
  void takesWhatIsUsed() throws IOException {
    PodArchive.container(
        archive(
            file("config.dump"),
            new TarEntry("checkpoint/", '5', "", 0, 0, 0, PLAIN),
            file("checkpoint/core-1.img"),
            file("rootfs-diff.tar")),
        directory);
    assertThat(made())
        .containsExactly("in/checkpoint", "in/checkpoint/core-1.img", "in/rootfs-diff.tar");
    assertThat(directory.resolve("rootfs-diff.tar")).hasSize(600);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../out",
        "checkpoint/../../out",
        "/etc/out",
        "checkpoint/a/b",
        "checkpoint/..",
        "checkpoint/.x",
        "checkpoint",
        "rootfs",
        "mounts/0",
        "pid"
      })
  void refusesOtherNames(String name) throws IOException {
    Path archive = archive(file("rootfs-diff.tar"), file(name));
    assertThatThrownBy(() -> PodArchive.container(archive, directory))
        .isInstanceOf(PeapodException.class);
    assertThat(made()).containsExactly("in/checkpoint", "in/rootfs-diff.tar");
  }

  @ParameterizedTest
  @ValueSource(chars = {'1', '2', '3', '4', '6'})
  void refusesWhatIsNoFile(char type) throws IOException {
    Path archive =
        archive(new TarEntry("checkpoint/x.img", type, "/etc/passwd", 0, 8, 0, PLAIN));
    assertThatThrownBy(() -> PodArchive.container(archive, directory))
        .hasMessageContaining("is not a file");
    assertThat(made()).containsExactly("in/checkpoint");
  }

  @Test
  void refusesDoublesAndWhatIsMissing() throws IOException {
    Path twice = archive(file("checkpoint/x.img"), file("checkpoint/x.img"));
    assertThatThrownBy(() -> PodArchive.container(twice, directory)).hasMessageContaining("twice");
    Files.delete(directory.resolve("checkpoint/x.img"));
    Files.delete(directory.resolve("checkpoint"));
    Path none = archive(file("config.dump"));
    assertThatThrownBy(() -> PodArchive.container(none, directory))
        .hasMessageContaining("has no rootfs-diff.tar");
  }

  @Test
  void findsContainersByName() throws IOException {
    Path archive = archive(file("pod.dump"), file("containers/a.tar"), file("containers/b.tar"));
    PodArchive.containers(archive, Map.of("b", directory.resolve("1")));
    assertThat(made()).containsExactly("in/1");
    assertThatThrownBy(() -> PodArchive.containers(archive, Map.of("c", directory.resolve("2"))))
        .hasMessageContaining("no container \"c\"");
    assertThatThrownBy(
            () -> PodArchive.containers(temp.resolve("nothing"), Map.of("c", directory)))
        .hasMessageContaining("there is no checkpoint");
  }
}
