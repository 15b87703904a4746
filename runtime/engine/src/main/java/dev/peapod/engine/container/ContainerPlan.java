package dev.peapod.engine.container;

import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.CloneFlags;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.MountAttributes;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Stage;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.ResolvedDevice;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FileStat;
import dev.peapod.linux.MachinePaths;
import dev.peapod.linux.cgroup.Cgroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Makes the launch plan of a container's main process.
final class ContainerPlan {
  /// All that the plan is made of.
  ///
  /// @param rootfs the container's root filesystem, a detached mount
  /// @param pause a pidfd of the pod's pause process
  /// @param devices the nodes in its `/dev`
  /// @param target a pidfd of the process whose PID namespace is joined, where that is another
  ///     container's
  /// @param podFiles the directory with the pod's `hosts`, `hostname` and `resolv.conf`
  /// @param control where the monitor listens
  /// @param counters where the kernel counts the container's OOM kills
  /// @param view what it sees of its cgroup
  /// @param log the log file, if there is one
  /// @param users the pod's user namespace, if it has one of its own
  /// @param images the mounts of images, detached, in the order of the spec's
  /// @param restored if its processes come from a checkpoint
  record Input(
      String id,
      ContainerSpec spec,
      SandboxSpec sandbox,
      ResolvedProcess process,
      ContainerSecurity.Grant security,
      List<ResolvedDevice> devices,
      CgroupEntry cgroup,
      List<Operation.OomCounter> counters,
      List<Cgroup.Mounted> view,
      Fd rootfs,
      Fd pause,
      Optional<Fd> target,
      Path podFiles,
      Path exits,
      Path control,
      Optional<Path> log,
      Optional<Fd> users,
      List<Fd> images,
      Optional<Restoration> restored) {
    Optional<UserNamespace> userNamespace() {
      return Optional.ofNullable(sandbox.userNamespace());
    }
  }

  private static final int HELD_OPEN = -2;
  private static final int TTY_GROUP = 5;
  private static final int DEV = "/dev/".length();

  private static final long CLOSED =
      MountAttributes.NOSUID | MountAttributes.NODEV | MountAttributes.NOEXEC;

  private final Input in;
  private final LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.CONTAINER);
  private final Set<String> requested = new HashSet<>();

  private ContainerPlan(Input in) {
    this.in = in;
    for (MountSpec mount : in.spec.mounts()) {
      requested.add(normal(mount.containerPath()));
    }
  }

  /// The plan; its descriptors are those of the input.
  static LaunchPlan of(Input input) {
    return new ContainerPlan(input).build();
  }

  private LaunchPlan build() {
    int rootfs = plan.give(in.rootfs);
    int pause = plan.give(in.pause);
    int target = in.target.map(plan::give).orElse(Operation.DEFAULT_STREAM);
    int users = in.users.map(plan::give).orElse(-1);
    Iterator<Integer> images = in.images.stream().map(plan::give).toList().iterator();
    in.security.give(plan);
    monitor();
    in.cgroup.enter(plan);
    plan.add(OomScores.atStart(in.spec.resources().oomScoreAdj()));
    int dev = dev();
    int pts = plan.slot();
    plan.add(
        new Operation.MountNew(
            Stage.HOST,
            pts,
            "devpts",
            labelled("newinstance", "ptmxmode=0666", "mode=0620", "gid=" + gid(TTY_GROUP)),
            MountAttributes.NOSUID | MountAttributes.NOEXEC));
    List<Bind> binds = binds(users, images);
    CgroupView view = cgroupView();
    view.prepare();
    int hostShm = in.sandbox.ipc() == NamespaceMode.NODE ? hostShm() : -1;

    join(pause);
    int sys = plan.slot();
    plan.add(new Operation.MountNew(Stage.POD, sys, "sysfs", List.of(), CLOSED | sysAttributes()));
    int mqueue = plan.slot();
    plan.add(new Operation.MountNew(Stage.POD, mqueue, "mqueue", List.of(), CLOSED));
    if (!in.security.fileLabel().isEmpty()) {
      // There is one for each IPC namespace, so it takes no options.
      plan.add(new Operation.Label(Stage.POD, mqueue, in.security.fileLabel()));
    }
    int shm = joinMounts(pause, hostShm);
    // Its cgroup, which it is in by now, is the root of the cgroup namespace.
    plan.add(new Operation.Unshare(Stage.POD, CloneFlags.NEWNS | CloneFlags.NEWCGROUP));
    in.userNamespace()
        .ifPresent(u -> plan.add(new Operation.FsIds(u.uids().first(), u.gids().first())));
    in.restored.ifPresentOrElse(
        restoration -> restoration.begin(plan, rootfs),
        () -> plan.add(new Operation.Root(rootfs)));
    attachDefault(sys, "/sys", CLOSED | sysAttributes());
    view.attach(this::attach);
    attachDefault(dev, "/dev", MountAttributes.NOSUID | MountAttributes.NOEXEC);
    attachDefault(pts, "/dev/pts", MountAttributes.NOSUID | MountAttributes.NOEXEC);
    attachDefault(shm, "/dev/shm", hostShm >= 0 ? 0 : CLOSED);
    attachDefault(mqueue, "/dev/mqueue", CLOSED);
    if (in.restored.isEmpty()) {
      nullDevice();
    }
    for (Bind bind : binds) {
      attach(bind.slot, bind.path, bind.kind, bind.attributes);
    }
    if (in.restored.isPresent()) {
      return restore(rootfs, in.restored.get());
    }
    if (!in.process.workingDir().equals("/")) {
      plan.add(new Operation.Mkdir(Stage.POD, Operation.NEW_ROOT, in.process.workingDir(), 0755));
    }
    if (in.spec.security().readonlyRootfs()) {
      // Made now if the image has none: later it can not be.
      plan.add(new Operation.Mkdir(Stage.POD, Operation.NEW_ROOT, "/proc", 0555));
      plan.add(
          new Operation.MountSetattr(Stage.POD, rootfs, MountAttributes.RDONLY, 0, 0, false, -1));
    }
    plan.add(new Operation.Pivot());
    pidNamespace(pause, target);
    process(pause);
    return plan.build();
  }

  private void monitor() {
    in.log.ifPresent(path -> plan.add(new Operation.Log(path.toString())));
    plan.add(new Operation.ExitRecord(in.exits.toString(), in.id));
    plan.add(new Operation.Control(in.control.toString()));
    plan.add(in.cgroup.kill());
    in.counters.forEach(plan::add);
    int stdin = in.spec.stdin() ? HELD_OPEN : Operation.DEFAULT_STREAM;
    plan.add(new Operation.Stdio(stdin, Operation.DEFAULT_STREAM, Operation.DEFAULT_STREAM));
  }

  /// Options of a new filesystem of the container's own.
  private List<String> labelled(String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    if (!in.security.fileLabel().isEmpty()) {
      all.add("context=" + in.security.fileLabel());
    }
    return all;
  }

  /// A new tmpfs with the devices and links of `/dev`.
  private int dev() {
    int dev = plan.slot();
    plan.add(
        new Operation.MountNew(
            Stage.HOST,
            dev,
            "tmpfs",
            labelled("mode=755", "size=65536k", "uid=" + uid(0), "gid=" + gid(0)),
            MountAttributes.NOSUID | MountAttributes.NOEXEC));
    Set<String> directories = new HashSet<>();
    for (ResolvedDevice device : in.devices) {
      String name = device.path().substring(DEV);
      int slash = name.lastIndexOf('/');
      if (slash > 0 && directories.add(name.substring(0, slash))) {
        plan.add(new Operation.Mkdir(Stage.HOST, dev, name.substring(0, slash), 0755));
      }
      plan.add(
          new Operation.Mknod(
              Stage.HOST,
              dev,
              name,
              device.mode(),
              device.device(),
              (int) uid(device.uid()),
              (int) gid(device.gid())));
    }
    link(dev, "fd", "/proc/self/fd");
    link(dev, "stdin", "/proc/self/fd/0");
    link(dev, "stdout", "/proc/self/fd/1");
    link(dev, "stderr", "/proc/self/fd/2");
    link(dev, "ptmx", "pts/ptmx");
    return dev;
  }

  /// What a user of the pod is on the host.
  private long uid(long id) {
    return in.userNamespace().map(u -> u.uids().onHost(id)).orElse(id);
  }

  /// What a group of the pod is on the host.
  private long gid(long id) {
    return in.userNamespace().map(u -> u.gids().onHost(id)).orElse(id);
  }

  /// What masks files: that of the container's own `/dev`, else the host's. One that is mounted with a
  /// `/dev` of the request may be anything.
  private void nullDevice() {
    int slot = plan.slot();
    plan.add(
        requested.contains("/dev")
            ? new Operation.OpenTree(Stage.HOST, slot, Operation.PRESENT_ROOT, "/dev/null", false)
            : new Operation.OpenTree(Stage.POD, slot, Operation.NEW_ROOT, "/dev/null", false));
    plan.add(new Operation.NullDevice(slot));
  }

  private void link(int dir, String path, String target) {
    plan.add(new Operation.Symlink(Stage.HOST, dir, path, target));
  }

  /// The rest of the plan where the processes come from a checkpoint: what they are is in its images.
  private LaunchPlan restore(int rootfs, Restoration restoration) {
    SecuritySpec security = in.spec.security();
    if (security.readonlyRootfs()) {
      plan.add(
          new Operation.MountSetattr(Stage.POD, rootfs, MountAttributes.RDONLY, 0, 0, false, -1));
    }
    if (!security.privileged()) {
      restoration.mask(plan, paths(security.maskedPaths(), MachinePaths.TELLING));
      restoration.readonly(paths(security.readonlyPaths(), MachinePaths.CHANGING));
    }
    plan.add(new Operation.Pivot());
    plan.add(new Operation.StdioOwner(in.process.user().uid()));
    plan.add(restoration.operation(security.readonlyRootfs()));
    return plan.build();
  }

  /// @param attributes those [MountAttributes] that it must not lose
  private record Bind(int slot, String path, Operation.TargetKind kind, long attributes) {}

  /// Detached clones of the host's paths, outer targets before inner ones.
  private List<Bind> binds(int users, Iterator<Integer> images) {
    List<Bind> binds = new ArrayList<>();
    podFile(binds, "hosts", "/etc/hosts");
    podFile(binds, "hostname", "/etc/hostname");
    podFile(binds, "resolv.conf", "/etc/resolv.conf");
    Iterator<Fd> views = in.images.iterator();
    for (MountSpec mount : in.spec.mounts()) {
      if (mount.image() != null) {
        int view = images.next();
        options(view, mount);
        binds.add(
            new Bind(
                view,
                normal(mount.containerPath()),
                target(FileStat.of(views.next()).isDirectory()),
                MountAttributes.RDONLY | MountOptions.set(mount.options())));
        continue;
      }
      int slot = plan.slot();
      plan.add(
          new Operation.OpenTree(Stage.HOST, slot, Operation.PRESENT_ROOT, mount.hostPath(), true));
      long propagation =
          switch (mount.propagation()) {
            case PRIVATE -> MountAttributes.PRIVATE;
            case HOST_TO_CONTAINER -> MountAttributes.SLAVE;
            case BIDIRECTIONAL -> 0;
          };
      boolean recursive = mount.readOnly() && mount.recursiveReadOnly();
      if (propagation != 0) {
        plan.add(new Operation.MountSetattr(Stage.HOST, slot, 0, 0, propagation, true, -1));
      }
      if (mount.readOnly()) {
        plan.add(
            new Operation.MountSetattr(
                Stage.HOST, slot, MountAttributes.RDONLY, 0, 0, recursive, -1));
      }
      options(slot, mount);
      if (mount.idMapped()) {
        plan.add(new Operation.MountSetattr(Stage.HOST, slot, 0, 0, 0, false, users));
      }
      binds.add(
          new Bind(
              slot,
              normal(mount.containerPath()),
              target(Files.isDirectory(Path.of(mount.hostPath()))),
              (mount.readOnly() ? MountAttributes.RDONLY : 0)
                  | MountOptions.set(mount.options())));
    }
    binds.sort(Comparator.comparingLong(b -> b.path.chars().filter(c -> c == '/').count()));
    return binds;
  }

  private void options(int slot, MountSpec mount) {
    if (!mount.options().isEmpty()) {
      plan.add(
          new Operation.MountSetattr(
              Stage.HOST,
              slot,
              MountOptions.set(mount.options()),
              MountOptions.clear(mount.options()),
              0,
              true,
              -1));
    }
  }

  private static Operation.TargetKind target(boolean directory) {
    return directory ? Operation.TargetKind.DIRECTORY : Operation.TargetKind.FILE;
  }

  private void podFile(List<Bind> binds, String file, String path) {
    if (!requested.contains(path)) {
      int slot = plan.slot();
      plan.add(
          new Operation.OpenTree(
              Stage.HOST,
              slot,
              Operation.PRESENT_ROOT,
              in.podFiles.resolve(file).toString(),
              false));
      plan.add(
          new Operation.MountSetattr(
              Stage.HOST,
              slot,
              in.spec.security().readonlyRootfs() ? MountAttributes.RDONLY : 0,
              0,
              MountAttributes.PRIVATE,
              false,
              -1));
      binds.add(
          new Bind(
              slot,
              path,
              Operation.TargetKind.FILE,
              in.spec.security().readonlyRootfs() ? MountAttributes.RDONLY : 0));
    }
  }

  private int hostShm() {
    int slot = plan.slot();
    plan.add(new Operation.OpenTree(Stage.HOST, slot, Operation.PRESENT_ROOT, "/dev/shm", false));
    plan.add(
        new Operation.MountSetattr(Stage.HOST, slot, 0, 0, MountAttributes.PRIVATE, false, -1));
    return slot;
  }

  /// The new process's PID namespace, entered last: nothing in it ever sees the stage process.
  private void pidNamespace(int pause, int target) {
    switch (in.spec.security().pid()) {
      case POD -> plan.add(new Operation.Setns(Stage.POD, pause, CloneFlags.NEWPID));
      case TARGET -> plan.add(new Operation.Setns(Stage.POD, target, CloneFlags.NEWPID));
      case CONTAINER -> plan.add(new Operation.Unshare(Stage.POD, CloneFlags.NEWPID));
      case NODE -> {}
    }
  }

  /// Joins the pod's namespaces, except for PID and mounts.
  private void join(int pause) {
    long flags = 0;
    if (in.sandbox.network() != NamespaceMode.NODE) {
      flags |= CloneFlags.NEWNET | CloneFlags.NEWUTS;
    }
    if (in.sandbox.ipc() != NamespaceMode.NODE) {
      flags |= CloneFlags.NEWIPC;
    }
    if (flags != 0) {
      plan.add(new Operation.Setns(Stage.POD, pause, flags));
    }
  }

  /// Joins the pod's mount namespace, in which sysfs could not be mounted if it belongs to a user
  /// namespace, and answers the slot of the pod's `/dev/shm`.
  private int joinMounts(int pause, int hostShm) {
    plan.add(new Operation.Setns(Stage.POD, pause, CloneFlags.NEWNS));
    if (hostShm >= 0) {
      return hostShm;
    }
    int shm = plan.slot();
    plan.add(new Operation.OpenTree(Stage.POD, shm, Operation.PRESENT_ROOT, "/shm", false));
    return shm;
  }

  private CgroupView cgroupView() {
    boolean covered = requested.contains("/sys") || requested.contains(CgroupView.PATH);
    return new CgroupView(
        plan, covered ? List.of() : in.view, in.spec.security().privileged());
  }

  private long sysAttributes() {
    return in.spec.security().privileged() ? 0 : MountAttributes.RDONLY;
  }

  /// Attaches what every container has, unless the request mounts something there itself.
  private void attachDefault(int slot, String path, long attributes) {
    if (!requested.contains(path)) {
      attach(slot, path, Operation.TargetKind.PLAIN_DIRECTORY, attributes);
    }
  }

  private void attach(int slot, String path, Operation.TargetKind kind, long attributes) {
    in.restored.ifPresentOrElse(
        restoration -> restoration.place(plan, slot, path, kind, attributes),
        () -> plan.add(new Operation.Attach(Stage.POD, slot, Operation.NEW_ROOT, path, kind)));
  }

  private void process(int pause) {
    SecuritySpec security = in.spec.security();
    plan.add(new Operation.MountProc(CLOSED));
    if (!security.privileged()) {
      paths(security.maskedPaths(), MachinePaths.TELLING)
          .forEach(path -> plan.add(new Operation.Mask(path)));
      paths(security.readonlyPaths(), MachinePaths.CHANGING)
          .forEach(path -> plan.add(new Operation.Readonly(path)));
    }
    if (in.spec.tty()) {
      plan.add(Operation.Tty.STANDARD);
    }
    ProcessOperations.process(
        plan,
        in.process,
        in.security,
        in.process.argv(),
        in.userNamespace().map(u -> new ProcessOperations.UserJoin(u, pause, true)));
  }

  /// The CRI can not tell an empty list from none. Who has users of its own can do no harm: an empty
  /// list leaves its proc as it is. All others get the defaults.
  private List<String> paths(List<String> asked, List<String> defaults) {
    return asked.isEmpty() && in.userNamespace().isEmpty() ? defaults : asked;
  }

  /// A path without `.`, `..`, doubled or trailing slashes.
  static String normal(String path) {
    return Path.of(path).normalize().toString();
  }
}
