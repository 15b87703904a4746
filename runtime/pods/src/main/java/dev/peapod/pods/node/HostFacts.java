package dev.peapod.pods.node;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What pods are told of the machine. Read anew each time, the address each second: all of it may
/// change while the daemon runs.
public final class HostFacts {
  private static final long ADDRESS_AGE_NANOS = 1_000_000_000;

  private record Address(String text, long at) {}

  private static volatile @Nullable Address address;

  private HostFacts() {}

  public static String hostsFile() {
    return String.join("\n", lines(Path.of("/etc/hosts"))) + "\n";
  }

  /// The address that the default route goes out from; no packet is sent. 127.0.0.1 where there is
  /// no route.
  public static String address() {
    Address known = address;
    if (known == null || System.nanoTime() - known.at > ADDRESS_AGE_NANOS) {
      known = new Address(readAddress(), System.nanoTime());
      address = known;
    }
    return known.text;
  }

  private static String readAddress() {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 9));
      InetAddress local = socket.getLocalAddress();
      if (local != null && !local.isAnyLocalAddress()) {
        return local.getHostAddress();
      }
    } catch (SocketException | java.io.UncheckedIOException e) {
      // No route.
    }
    return "127.0.0.1";
  }

  /// Whether the machine has cgroup version 2.
  public static boolean isCgroupV2() {
    return Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
  }

  /// Bytes of memory of the machine.
  public static long memory() {
    for (String line : lines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("MemTotal:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    return 1L << 30;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
