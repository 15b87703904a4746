package dev.peapod.engine.container;

import dev.peapod.engine.launch.Operation;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// How willingly the kernel kills processes when memory is short.
public final class OomScores {
  private OomScores() {}

  /// Sets the score of a process as it starts; one that the daemon may not lower stays.
  public static Operation atStart(int score) {
    return new Operation.Write(
        "/proc/self/oom_score_adj",
        Integer.toString(score).getBytes(StandardCharsets.US_ASCII),
        true);
  }

  /// Sets the score of running processes; as at their start, one that the daemon may not lower stays.
  static void set(List<Integer> processes, int score) {
    for (int pid : processes) {
      try {
        KernelFiles.write("/proc/" + pid + "/oom_score_adj", Integer.toString(score));
      } catch (KernelException e) {
        switch (e.errno()) {
          case Errno.ENOENT, Errno.ESRCH, Errno.EACCES, Errno.EPERM -> {}
          default -> throw e;
        }
      }
    }
  }
}
