package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A snapshot that sees nothing would let every system test pass.
class MachineSnapshotTest {
  @TempDir private Path directory;

  private MachineSnapshot take() {
    return MachineSnapshot.take(List.of(directory), path -> path.endsWith("ignored"));
  }

  @Test
  void everythingThatIsLeftIsSeen() throws IOException {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    String name = "peatsnap0";
    Path cgroups = Path.of("/sys/fs/cgroup");
    Path cgroup =
        (Files.exists(cgroups.resolve("cgroup.procs")) ? cgroups : cgroups.resolve("pids"))
            .resolve(name);
    Path mount = Files.createDirectory(directory.resolve("mount"));
    MachineSnapshot before = take();
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Shell.run("mount", "-t", "tmpfs", name, mount.toString()).ok();
      Shell.run("ip", "link", "add", name, "type", "bridge").ok();
      Shell.run("ip", "address", "add", "10.234.254.1/24", "dev", name).ok();
      Shell.run("nft", "add", "table", "inet", name).ok();
      Shell.run("ip", "netns", "add", name).ok();
      Files.createDirectory(cgroup);
      Files.writeString(directory.resolve("state"), "");
      Files.writeString(directory.resolve("ignored"), "");
      List<String> differences = before.differences(take());
      assertThat(differences)
          .anyMatch(d -> d.startsWith("left: mount ") && d.endsWith(mount.toString()))
          .anyMatch(d -> d.startsWith("left: network ") && d.contains(name))
          .anyMatch(d -> d.startsWith("left: network ") && d.contains("10.234.254.1/24"))
          .contains(
              "left: network table inet " + name + " {",
              "left: namespace pin /run/netns/" + name,
              "left: cgroup " + cgroup,
              "left: file " + directory.resolve("state"))
          .anyMatch(
              d -> d.startsWith("left: port tcp") && d.endsWith(":%04X".formatted(listener.getLocalPort())))
          .noneMatch(d -> d.contains("ignored"));
    } finally {
      Shell.run("umount", mount.toString());
      Shell.run("ip", "link", "delete", name);
      Shell.run("nft", "delete", "table", "inet", name);
      Shell.run("ip", "netns", "delete", name);
      Files.deleteIfExists(cgroup);
      Files.deleteIfExists(directory.resolve("state"));
    }
    assertThat(before.differences(take()))
        .noneMatch(d -> d.contains(name))
        .noneMatch(d -> d.contains(directory.toString()) && !d.contains("ignored"));
  }
}
