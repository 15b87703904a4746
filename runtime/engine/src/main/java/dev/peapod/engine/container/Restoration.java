package dev.peapod.engine.container;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.MountAttributes;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.Stage;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How a container's processes are restored instead of a program started: criu runs in a private copy of the host's mounts,
/// in which the container's root and each of its mounts lie in a directory of their own. It is told to take them from
/// there, so that none comes from the checkpoint.
///
/// For one container and one thread.
public final class Restoration {
  /// Where something is mounted in the container.
  ///
  /// @param source where it is in the copy of the host's mounts
  /// @param attributes those [MountAttributes] that it must have
  public record Mounted(String source, long attributes) {}

  /// What a checkpoint has and may have.
  public interface Checkpoint {
    /// Its directory on the host: nobody else's, and on it nothing of these names: `rootfs`, `mounts`.
    Path directory();

    /// Unpacks the container's files.
    void fill(Path upper);

    /// The program that restores the processes and leaves them stopped.
    ///
    /// @param root where the container's root is
    /// @param mounts by where they are in the container
    /// @param readonly where procfs has to be read-only
    /// @param readonlyRoot whether the root has to be
    /// @throws PeapodException if the checkpoint asks for anything else
    Operation.Restore command(
        Path root, Map<String, Mounted> mounts, List<String> readonly, boolean readonlyRoot);

    /// Looks at what was restored, and lets it go on.
    ///
    /// @throws PeapodException if a process may more than the request says
    void accept(Container container, int main, List<Integer> processes);
  }

  private static final long MASK =
      MountAttributes.RDONLY | MountAttributes.NOSUID | MountAttributes.NODEV | MountAttributes.NOEXEC;

  private static final String DEV = "/dev";

  private final Checkpoint checkpoint;
  private final Map<String, Mounted> mounts = new LinkedHashMap<>();
  private List<String> readonly = List.of();

  public Restoration(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  private Path root() {
    return checkpoint.directory().resolve("rootfs");
  }

  void fill(Path upper) {
    checkpoint.fill(upper);
  }

  void accept(Container container, int main, List<Integer> processes) {
    checkpoint.accept(container, main, processes);
  }

  /// Makes the copy of the host's mounts, with the container's root in it.
  void begin(LaunchPlan.Builder plan, int rootfs) {
    int host = plan.slot();
    plan.add(new Operation.OpenTree(Stage.HOST, host, Operation.PRESENT_ROOT, "/", true));
    plan.add(
        new Operation.MountSetattr(Stage.HOST, host, 0, 0, MountAttributes.PRIVATE, true, -1));
    plan.add(new Operation.Root(host));
    plan.add(attach(rootfs, root().toString(), Operation.TargetKind.DIRECTORY));
  }

  private static Operation.Attach attach(int slot, String path, Operation.TargetKind kind) {
    return new Operation.Attach(Stage.POD, slot, Operation.NEW_ROOT, path, kind);
  }

  /// Puts a mount where criu takes it from.
  void place(
      LaunchPlan.Builder plan, int slot, String path, Operation.TargetKind kind, long attributes) {
    // What lies in the new /dev needs its place there; all other places are in the container's files, or in volumes.
    Mounted dev = mounts.get(DEV);
    String source =
        dev != null && path.startsWith(DEV + "/")
            ? dev.source + path.substring(DEV.length())
            : newPlace();
    if (attributes != 0) {
      plan.add(new Operation.MountSetattr(Stage.POD, slot, attributes, 0, 0, false, -1));
    }
    plan.add(
        attach(
            slot,
            source,
            kind == Operation.TargetKind.FILE
                ? Operation.TargetKind.FILE
                : Operation.TargetKind.DIRECTORY));
    mounts.put(path, new Mounted(source, attributes));
  }

  private String newPlace() {
    return checkpoint.directory().resolve("mounts/" + mounts.size()).toString();
  }

  /// Has paths covered as [Operation.Mask] covers them.
  void mask(LaunchPlan.Builder plan, List<String> paths) {
    int empty = plan.slot();
    plan.add(new Operation.MountNew(Stage.HOST, empty, "tmpfs", List.of("mode=755"), MASK));
    String directory = newPlace() + "-empty";
    plan.add(attach(empty, directory, Operation.TargetKind.DIRECTORY));
    int device = plan.slot();
    plan.add(
        new Operation.OpenTree(Stage.HOST, device, Operation.PRESENT_ROOT, "/dev/null", false));
    plan.add(
        new Operation.MountSetattr(
            Stage.HOST, device, MASK & ~MountAttributes.NODEV, 0, MountAttributes.PRIVATE, false, -1));
    String file = newPlace() + "-null";
    plan.add(attach(device, file, Operation.TargetKind.FILE));
    for (String path : paths) {
      Path there = machines(path);
      if (Files.isDirectory(there)) {
        mounts.put(path, new Mounted(directory, MASK));
      } else if (Files.exists(there)) {
        mounts.put(path, new Mounted(file, MASK & ~MountAttributes.NODEV));
      }
    }
  }

  /// Has paths of procfs read-only.
  void readonly(List<String> paths) {
    List<String> all = new ArrayList<>();
    for (String path : paths) {
      if (Files.exists(machines(path))) {
        all.add(path);
      }
    }
    readonly = List.copyOf(all);
  }

  /// What is below `/proc` and `/sys` is the same on the host.
  private static Path machines(String path) {
    Path normal = Path.of(path).normalize();
    if (!normal.startsWith("/proc") && !normal.startsWith("/sys")) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "a container with \"" + path + "\" masked or read-only can not be restored");
    }
    return normal;
  }

  Operation.Restore operation(boolean readonlyRoot) {
    return checkpoint.command(root(), mounts, readonly, readonlyRoot);
  }
}
