package dev.peapod.linux;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;

/// Which process a number meant when it was written down.
///
/// @param pid its number
/// @param startTime when it started, in clock ticks since boot (field 22 of `/proc/PID/stat`)
/// @param bootId the boot it belongs to, see [BootId]
public record ProcessIdentity(int pid, long startTime, String bootId) {
  /// The process that has this number now, a zombie included, if there is one.
  public static Optional<ProcessIdentity> of(int pid) {
    OptionalLong startTime = startTime(pid);
    return startTime.isPresent()
        ? Optional.of(new ProcessIdentity(pid, startTime.getAsLong(), BootId.current()))
        : Optional.empty();
  }

  /// Opens the process if it is still this one.
  public Optional<Pidfd> open() {
    if (!bootId.equals(BootId.current())) {
      return Optional.empty();
    }
    Optional<Pidfd> opened = Pidfd.open(pid);
    if (opened.isEmpty()) {
      return opened;
    }
    // Compared after opening: the descriptor can not change its process any more.
    OptionalLong now = startTime(pid);
    if (now.isPresent() && now.getAsLong() == startTime) {
      return opened;
    }
    opened.get().close();
    return Optional.empty();
  }

  private static OptionalLong startTime(int pid) {
    try (Fd stat = Fd.open("/proc/" + pid + "/stat", Open.RDONLY)) {
      String line = new String(FdIo.readAll(stat, 4096), StandardCharsets.ISO_8859_1);
      // The name, in parentheses, may itself hold blanks and parentheses; state is field 3.
      String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
      return OptionalLong.of(Long.parseLong(fields[22 - 3]));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESRCH) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }
}
