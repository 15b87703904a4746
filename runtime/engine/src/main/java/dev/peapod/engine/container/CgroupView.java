package dev.peapod.engine.container;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.MountAttributes;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.Stage;
import dev.peapod.linux.cgroup.Cgroup;
import java.util.ArrayList;
import java.util.List;

/// What a container sees below `/sys/fs/cgroup`: its own cgroup. Of version 2 that is one mount; of version 1 some of
/// the hierarchies, in which programs look up their limits.
final class CgroupView {
  static final String PATH = "/sys/fs/cgroup";

  private static final long CLOSED =
      MountAttributes.NOSUID | MountAttributes.NODEV | MountAttributes.NOEXEC;

  private record Part(String name, int slot) {}

  private final LaunchPlan.Builder plan;
  private final List<Cgroup.Mounted> mounted;
  private final boolean writable;
  private final List<Part> parts = new ArrayList<>();
  private int top;

  /// @param mounted what is to be seen; nothing if it is empty
  CgroupView(LaunchPlan.Builder plan, List<Cgroup.Mounted> mounted, boolean writable) {
    this.plan = plan;
    this.mounted = mounted;
    this.writable = writable;
  }

  private boolean isOneMount() {
    return mounted.size() == 1 && mounted.getFirst().name().isEmpty();
  }

  /// In the host's mount namespace.
  void prepare() {
    if (mounted.isEmpty() || isOneMount()) {
      return;
    }
    top = plan.slot();
    plan.add(
        new Operation.MountNew(
            Stage.HOST, top, "tmpfs", List.of("mode=755", "size=64k"), CLOSED));
    for (Cgroup.Mounted one : mounted) {
      int slot = plan.slot();
      plan.add(new Operation.Mkdir(Stage.HOST, top, one.name(), 0755));
      plan.add(
          new Operation.OpenTree(
              Stage.HOST, slot, Operation.PRESENT_ROOT, one.directory(), false));
      parts.add(new Part(one.name(), slot));
    }
  }

  /// Puts a mount at its place in the container.
  @FunctionalInterface
  interface Attaching {
    void attach(int slot, String path, Operation.TargetKind kind, long attributes);
  }

  /// In the new cgroup namespace, with the new root and its `/sys` in place.
  void attach(Attaching attaching) {
    if (mounted.isEmpty()) {
      return;
    }
    long readonly = writable ? 0 : MountAttributes.RDONLY;
    if (isOneMount()) {
      top = plan.slot();
      plan.add(new Operation.MountNew(Stage.POD, top, "cgroup2", List.of(), CLOSED | readonly));
    }
    long attributes = CLOSED | readonly;
    attaching.attach(top, PATH, Operation.TargetKind.PLAIN_DIRECTORY, attributes);
    for (Part part : parts) {
      attaching.attach(
          part.slot, PATH + "/" + part.name, Operation.TargetKind.PLAIN_DIRECTORY, attributes);
    }
    if (!parts.isEmpty()) {
      plan.add(
          new Operation.MountSetattr(
              Stage.POD, top, attributes, 0, MountAttributes.PRIVATE, true, -1));
    }
  }
}
