package dev.peapod.cni.host;

import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Open;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Settings below `/proc/sys/net` of the calling thread's network namespace. One that this kernel
/// does not have (IPv6 may be off) is empty to read and is not written.
final class Sysctls {
  private static final String ROOT = "/proc/sys/net/";
  private static final int MAX = 4096;

  private Sysctls() {}

  static Optional<String> read(String name) {
    try (Fd fd = Fd.open(ROOT + name, Open.RDONLY)) {
      return Optional.of(new String(FdIo.readAll(fd, MAX), StandardCharsets.US_ASCII).strip());
    } catch (KernelException e) {
      return ifMissing(e);
    }
  }

  static void write(String name, String value) {
    try (Fd fd = Fd.open(ROOT + name, Open.WRONLY)) {
      FdIo.writeAll(fd, value.getBytes(StandardCharsets.US_ASCII), 0);
    } catch (KernelException e) {
      ifMissing(e);
    }
  }

  private static Optional<String> ifMissing(KernelException e) {
    if (e.errno() == Errno.ENOENT) {
      return Optional.empty();
    }
    throw e;
  }
}
