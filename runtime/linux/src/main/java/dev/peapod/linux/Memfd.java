package dev.peapod.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Files in memory that nobody can change (memfd_create(2), sealed against writing and resizing).
public final class Memfd {
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int MFD_NOEXEC_SEAL = 8;
  private static final int MFD_EXEC = 0x10;
  private static final int F_ADD_SEALS = 1033;
  private static final int SEAL_ALL = 1 | 2 | 4 | 8;

  /// Whether the kernel knows MFD_EXEC and MFD_NOEXEC_SEAL (6.3); learned by the first refusal.
  private static volatile boolean execFlags = true;

  private Memfd() {}

  /// A sealed, not executable file with these contents; its offset is at the start.
  ///
  /// @param name shown in `/proc/PID/fd`, at most 249 bytes
  public static Fd sealed(String name, byte[] contents) {
    return sealed(name, contents, MFD_NOEXEC_SEAL);
  }

  /// A sealed, executable copy of the file at `path`; its offset is at the start.
  ///
  /// @throws UncheckedIOException if the file can not be read
  public static Fd sealed(String name, Path path) {
    try {
      return sealed(name, Files.readAllBytes(path), MFD_EXEC);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A sealed, not executable file with what `writer` writes.
  public static Fd sealed(String name, Consumer<Fd> writer) {
    return sealed(name, MFD_NOEXEC_SEAL, writer);
  }

  private static Fd sealed(String name, byte[] contents, int execFlag) {
    return sealed(name, execFlag, fd -> FdIo.writeAll(fd, contents, 0));
  }

  private static Fd sealed(String name, int execFlag, Consumer<Fd> writer) {
    Fd fd = create(name, execFlag);
    try {
      writer.accept(fd);
      int n = fd.number();
      if (LibC.fcntl(n, F_ADD_SEALS, SEAL_ALL) < 0) {
        throw new KernelException("fcntl(memfd \"" + name + "\", F_ADD_SEALS)", LibC.errno());
      }
      return fd;
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static Fd create(String name, int execFlag) {
    byte[] cName = LibC.path(name);
    boolean flags = execFlags;
    int base = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int n = EventCalls.memfd_create(cName, flags ? base | execFlag : base);
    if (n < 0 && flags && LibC.errno() == Errno.EINVAL) {
      n = EventCalls.memfd_create(cName, base);
      if (n >= 0) {
        execFlags = false;
      }
    }
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("memfd_create(\"" + name + "\")", errno);
    }
    return new Fd(n);
  }
}
