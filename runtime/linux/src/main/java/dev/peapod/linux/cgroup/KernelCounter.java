package dev.peapod.linux.cgroup;

import dev.peapod.linux.KernelFiles;

/// A number that the kernel keeps in a file, which may be kept open and read again from its start.
///
/// @param key which line of the file, as in `oom_kill 3`; `""` where the file is one number
public record KernelCounter(String path, String key) {
  /// What it says now; 0 if the file has no such line.
  public long value() {
    return of(KernelFiles.read(path), key);
  }

  /// The number in the line `key N` of a text, 0 if there is none.
  static long of(String text, String key) {
    if (key.isEmpty()) {
      return Long.parseLong(text.strip());
    }
    String start = key + " ";
    int at = text.startsWith(start) ? 0 : text.indexOf("\n" + start) + 1;
    if (at == 0 && !text.startsWith(start)) {
      return 0;
    }
    int end = text.indexOf('\n', at);
    return Long.parseLong(text.substring(at + start.length(), end < 0 ? text.length() : end).strip());
  }
}
