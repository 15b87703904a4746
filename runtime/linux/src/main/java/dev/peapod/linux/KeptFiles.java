package dev.peapod.linux;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;

/// Small files of the kernel that are read again and again, and kept open for that: opening one costs three times as much
/// as reading it. Thread-safe.
///
/// All of them together take no more than half of the descriptors that this process may have; beyond that, and once this
/// is closed, a file is opened for each reading.
public final class KeptFiles implements AutoCloseable {
  private static final Semaphore MORE = new Semaphore(most());

  private final Map<String, Fd> open = new HashMap<>();
  private boolean closed;

  private static int most() {
    String key = "Max open files";
    return KernelFiles.read("/proc/self/limits")
        .lines()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(key.length()).strip().split(" ")[0])
        .mapToInt(soft -> soft.equals("unlimited") ? 1 << 19 : (int) Math.min(1 << 19, Long.parseLong(soft) / 2))
        .findFirst()
        .orElse(0);
  }

  /// As [KernelFiles#readAtOnce(String)].
  public synchronized String read(String path) {
    Fd file = open.get(path);
    if (file == null) {
      if (closed || !MORE.tryAcquire()) {
        return KernelFiles.readAtOnce(path);
      }
      try {
        file = Fd.open(path, Open.RDONLY);
      } catch (KernelException e) {
        MORE.release();
        throw e;
      }
      open.put(path, file);
    }
    return KernelFiles.readAgain(file, path);
  }

  /// Closes the files; what is read from now on is not kept.
  @Override
  public synchronized void close() {
    closed = true;
    open.values().forEach(Fd::close);
    MORE.release(open.size());
    open.clear();
  }
}
