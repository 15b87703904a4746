package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdIoTest {
  @Test
  void streamsCarryEveryByte(@TempDir Path temp) throws Exception {
    byte[] data = new byte[300_001];
    new Random(1).nextBytes(data);
    Path file = temp.resolve("file");
    var before = OpenDescriptors.now();
    try (var out = FdIo.output(Fd.create(file.toString(), Open.WRONLY, 0600))) {
      out.write(data[0]);
      out.write(data, 1, data.length - 1);
    }
    assertThat(Files.readAllBytes(file)).isEqualTo(data);
    try (var in = FdIo.input(Fd.open(file.toString(), Open.RDONLY))) {
      assertThat(in.read()).isEqualTo(Byte.toUnsignedInt(data[0]));
      assertThat(in.readAllBytes()).hasSize(data.length - 1);
      assertThat(in.read()).isEqualTo(-1);
    }
    try (Fd fd = Fd.open(file.toString(), Open.RDONLY)) {
      assertThat(FdIo.readAll(fd, data.length)).isEqualTo(data);
    }
    try (Fd fd = Fd.open(file.toString(), Open.RDONLY)) {
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> FdIo.readAll(fd, data.length - 1))
          .matches(e -> e.errno() == Errno.EFBIG);
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void aFullDiskIsAnError() {
    try (var full = FdIo.output(Fd.open("/dev/full", Open.WRONLY))) {
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> full.write(1))
          .matches(e -> e.errno() == Errno.ENOSPC);
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void filesystemsTellTheirSpace() {
    FsStat stat = FsStat.of(Path.of("/tmp"));
    assertThat(stat.totalBytes()).isEqualTo(Path.of("/tmp").toFile().getTotalSpace());
    assertThat(stat.availableBytes()).isPositive();
    assertThat(FsStat.of(Path.of("/proc")).type()).isEqualTo(FsStat.PROC);
  }
}
