package dev.peapod.linux;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// What has gone through a network interface since it was made (`/proc/PID/net/dev`).
///
/// @param name the interface
public record NetworkCounters(
    String name,
    long receivedBytes,
    long receivedPackets,
    long receivedErrors,
    long receivedDropped,
    long sentBytes,
    long sentPackets,
    long sentErrors,
    long sentDropped) {
  private static final int MOST = 1 << 20;
  private static final int FIELDS = 16;

  /// Those of all interfaces in a process's network namespace.
  ///
  /// @throws KernelException ENOENT or EINVAL if the process is gone
  public static List<NetworkCounters> of(int pid) {
    try (Fd file = Fd.open("/proc/" + pid + "/net/dev", Open.RDONLY)) {
      return parse(new String(FdIo.readAll(file, MOST), StandardCharsets.UTF_8));
    }
  }

  /// Two lines of headings, then one for each interface: its name, eight numbers received, eight sent.
  static List<NetworkCounters> parse(String text) {
    List<NetworkCounters> counters = new ArrayList<>();
    int start = text.indexOf('\n', text.indexOf('\n') + 1) + 1;
    while (start > 0 && start < text.length()) {
      int newline = text.indexOf('\n', start);
      int end = newline < 0 ? text.length() : newline;
      // Names may have colons themselves.
      int colon = text.lastIndexOf(':', end - 1);
      if (colon > start) {
        long[] n = numbers(text, colon + 1, end);
        counters.add(
            new NetworkCounters(
                text.substring(start, colon).strip(),
                n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]));
      }
      start = end + 1;
    }
    return counters;
  }

  /// Numbers between spaces; those from 2^63 on are negative, those that are missing 0.
  private static long[] numbers(String text, int start, int end) {
    long[] numbers = new long[FIELDS];
    boolean within = false;
    for (int i = start, field = -1; i < end; i++) {
      char c = text.charAt(i);
      boolean digit = c >= '0' && c <= '9';
      if (digit && !within) {
        field++;
      }
      if (digit && field < FIELDS) {
        numbers[field] = numbers[field] * 10 + (c - '0');
      }
      within = digit;
    }
    return numbers;
  }
}
