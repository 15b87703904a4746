package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemfdTest {
  @Test
  void holdsTheContentsAndRefusesToChange() throws Exception {
    var before = OpenDescriptors.now();
    try (Fd fd = Memfd.sealed("test", "contents".getBytes(UTF_8))) {
      Path name = Path.of("/proc/self/fd/" + fd.number());
      assertThat(Files.readString(name)).isEqualTo("contents");
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> FdIo.writeAll(fd, new byte[1], 0))
          .matches(e -> e.errno() == Errno.EPERM);
      assertThat(Files.isExecutable(name)).isFalse();
    }
    try (Fd fd = Memfd.sealed("true", Path.of("/bin/true"))) {
      Path name = Path.of("/proc/self/fd/" + fd.number());
      assertThat(Files.mismatch(name, Path.of("/bin/true"))).isEqualTo(-1);
      try (Child child = Child.start(name.toString().replace("self", "" + pid()))) {
        assertThat(child.process().waitFor()).isZero();
      }
    }
    OpenDescriptors.assertNoneSince(before);
  }

  private static long pid() {
    return ProcessHandle.current().pid();
  }
}
