package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeptFilesTest {
  @TempDir private Path directory;

  @Test
  void readsAgainWhatIsThereThen() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "one\n");
    try (KeptFiles files = new KeptFiles()) {
      assertThat(files.read(file.toString())).isEqualTo("one");
      Files.writeString(file, "two\n");
      assertThat(files.read(file.toString())).isEqualTo("two");
      // Open still, so it is there.
      Files.delete(file);
      assertThat(files.read(file.toString())).isEqualTo("two");
      files.close();
      assertThatThrownBy(() -> files.read(file.toString()))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }
  }

  @Test
  void aFileThatIsNotThereMayComeLater() throws IOException {
    Path file = directory.resolve("later");
    try (KeptFiles files = new KeptFiles()) {
      assertThatThrownBy(() -> files.read(file.toString())).isInstanceOf(KernelException.class);
      Files.writeString(file, "here\n");
      assertThat(files.read(file.toString())).isEqualTo("here");
    }
  }
}
