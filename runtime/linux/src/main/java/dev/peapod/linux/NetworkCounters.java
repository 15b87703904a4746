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
    for (String line : text.lines().skip(2).toList()) {
      int colon = line.lastIndexOf(':');
      String[] fields = line.substring(colon + 1).strip().split(" +");
      if (colon > 0 && fields.length >= FIELDS) {
        long[] n = new long[FIELDS];
        for (int i = 0; i < FIELDS; i++) {
          n[i] = Long.parseUnsignedLong(fields[i]);
        }
        counters.add(
            new NetworkCounters(
                line.substring(0, colon).strip(),
                n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]));
      }
    }
    return counters;
  }
}
