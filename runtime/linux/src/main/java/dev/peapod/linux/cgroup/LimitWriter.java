package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Writes the limits of one cgroup; if one of them is refused, those before it are as they were.
final class LimitWriter {
  private record Written(String path, String before) {}

  /// The cgroup's directory by controller.
  private final Function<String, Optional<String>> directories;

  private final List<Written> written = new ArrayList<>();

  LimitWriter(Function<String, Optional<String>> directories) {
    this.directories = directories;
  }

  /// Runs what writes, and takes it back if that fails.
  void run(Runnable writes) {
    try {
      writes.run();
    } catch (PeapodException | KernelException e) {
      for (Written w : written.reversed()) {
        try {
          KernelFiles.write(w.path, w.before);
        } catch (KernelException again) {
          e.addSuppressed(again);
        }
      }
      throw e;
    }
  }

  /// Runs both, the second first where that is the order in which the kernel takes them.
  void inEitherOrder(Runnable first, Runnable second) {
    try {
      first.run();
    } catch (PeapodException | KernelException e) {
      second.run();
      first.run();
      return;
    }
    second.run();
  }

  void set(String file, long value) {
    set(file, Long.toString(value));
  }

  /// As [#set(String, long)]; negative means no limit.
  void setOrMax(String file, long value) {
    set(file, value < 0 ? "max" : Long.toString(value));
  }

  /// Writes a value; the file's name begins with that of its controller.
  ///
  /// @throws PeapodException INVALID if the controller or the file is not there, or the kernel refuses the value;
  ///     FAILED_PRECONDITION if more than that is in use
  void set(String file, String value) {
    String path = directory(file, value) + "/" + file;
    try {
      String before = KernelFiles.read(path);
      KernelFiles.write(path, value);
      written.add(new Written(path, before));
    } catch (KernelException e) {
      switch (e.errno()) {
        case Errno.EINVAL, Errno.ERANGE, Errno.EACCES, Errno.EOPNOTSUPP, Errno.ENODEV ->
            throw new PeapodException(
                PeapodException.Kind.INVALID,
                "the kernel refuses " + file + " = " + value + ": " + Errno.describe(e.errno()),
                e);
        case Errno.EBUSY ->
            throw new PeapodException(
                PeapodException.Kind.FAILED_PRECONDITION,
                file + " can not be " + value + " now: more than that is in use",
                e);
        case Errno.ENOENT -> {
          if (KernelFiles.isDirectory(directory(file, value))) {
            throw PeapodException.invalid(
                file + " = " + value + " was asked for, but this kernel has no " + file);
          }
          throw e;
        }
        default -> throw e;
      }
    }
  }

  private String directory(String file, String value) {
    String controller = file.substring(0, Math.max(0, file.indexOf('.')));
    return directories
        .apply(controller)
        .orElseThrow(
            () ->
                PeapodException.invalid(
                    file + " = " + value + " was asked for, but this machine has no cgroup controller \""
                        + controller + "\""));
  }

  /// Limits huge pages, and what may be reserved of them where the kernel counts that too. None of a size may be used
  /// without the controller, so 0 needs none.
  void hugepages(Map<String, Long> sizes, String suffix) {
    sizes.forEach(
        (size, bytes) -> {
          Optional<String> directory = directories.apply("hugetlb");
          if (bytes == 0 && directory.isEmpty()) {
            return;
          }
          set("hugetlb." + size + "." + suffix, bytes);
          String reserved = "hugetlb." + size + ".rsvd." + suffix;
          if (KernelFiles.exists(directory.orElseThrow() + "/" + reserved)) {
            set(reserved, bytes);
          }
        });
  }
}
