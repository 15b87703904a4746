package dev.peapod.engine.cgroup;

import dev.peapod.linux.cgroup.Cgroup;
import java.util.List;

/// Which devices pods may use: a container that may make device nodes must not reach the host's
/// disks by them.
public final class DeviceRules {
  private static final List<String> DEFAULT =
      List.of(
          "c *:* m",
          "b *:* m",
          "c 1:3 rwm",
          "c 1:5 rwm",
          "c 1:7 rwm",
          "c 1:8 rwm",
          "c 1:9 rwm",
          "c 5:0 rwm",
          "c 5:1 rwm",
          "c 5:2 rwm",
          "c 136:* rwm");

  private DeviceRules() {}

  /// Restricts a new cgroup, and with it those that will be made below: any node may be made, few
  /// may be opened.
  public static void restrict(Cgroup cgroup) {
    cgroup.restrictDevices(DEFAULT);
  }
}
