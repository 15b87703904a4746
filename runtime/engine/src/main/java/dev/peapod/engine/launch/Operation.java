package dev.peapod.engine.launch;

import java.util.List;

/// One kernel operation of a launch plan, exactly as `docs/launch-plan.md` lists it.
///
/// A `slot` names a descriptor: the first slots are the descriptors that come with the request, the
/// others are filled by operations. A `dir` is a slot whose directory a path is resolved beneath,
/// [#PRESENT_ROOT] or [#NEW_ROOT].
public sealed interface Operation {
  /// As `dir`: the present root (an absolute path in the present mount namespace).
  int PRESENT_ROOT = -1;

  /// As `dir`: the root that [Root] has attached.
  int NEW_ROOT = -2;

  /// As `slot` of [Setns]: the spawner's template mount namespace.
  int TEMPLATE = -1;

  /// As a slot of [Stdio]: the default of that stream.
  int DEFAULT_STREAM = -1;

  /// Where the operation is executed.
  Stage stage();

  /// An operation of the monitor stage.
  sealed interface InMonitor extends Operation {
    @Override
    default Stage stage() {
      return Stage.MONITOR;
    }
  }

  /// An operation of the host stage.
  sealed interface InHost extends Operation {
    @Override
    default Stage stage() {
      return Stage.HOST;
    }
  }

  /// An operation of the pod stage.
  sealed interface InPod extends Operation {
    @Override
    default Stage stage() {
      return Stage.POD;
    }
  }

  /// An operation of the process stage.
  sealed interface InProcess extends Operation {
    @Override
    default Stage stage() {
      return Stage.PROCESS;
    }
  }

  /// The CRI log file that the output goes to.
  record Log(String path) implements InMonitor {}

  /// The exit record is written as `directory/id`.
  record ExitRecord(String directory, String id) implements InMonitor {}

  /// How a whole cgroup is killed.
  enum KillKind {
    /// `1` is written to a `cgroup.kill`.
    KILL_FILE(1),
    /// A v1 freezer directory: freeze, SIGKILL, thaw.
    FREEZER(2);

    private final int code;

    KillKind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  /// What is killed when the main process ends.
  record KillCgroup(KillKind kind, String path) implements InMonitor {}

  /// What a counter of the kernel counts.
  enum OomKind {
    /// Processes of the container that were killed for want of memory.
    KILLS(0),
    /// How often the container's own limit was hit.
    LIMIT_HITS(1),
    /// How often the pod's limit was hit.
    POD_LIMIT_HITS(2);

    private final int code;

    OomKind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  /// A counter, held open by the monitor from the start.
  ///
  /// @param key which line of the file, `""` where the file is one number
  record OomCounter(OomKind kind, String path, String key) implements InMonitor {}

  /// Slots of the process's 0, 1 and 2; [#DEFAULT_STREAM], or -2 for `in`: a pipe held open.
  record Stdio(int in, int out, int err) implements InMonitor {}

  /// The monitor listens on this unix socket, for attach, resize and the log's reopening.
  record Control(String path) implements InMonitor {}

  /// A host port that a holder binds and forwards.
  ///
  /// @param family 4 or 6
  /// @param protocol 6 TCP, 17 UDP
  record Listen(
      int family, int protocol, byte[] address, int port, byte[] targetAddress, int targetPort)
      implements InMonitor {}

  /// A holder that has answered reads one byte from this slot before it serves; at the end of the file it ends.
  record Await(int slot) implements InMonitor {}

  /// `0` is written to this `tasks` or `cgroup.procs` file.
  record CgroupEnter(String path) implements InHost {}

  /// The cgroup2 directory that the stage process is cloned into; the first host operation.
  record CgroupInto(String path) implements InHost {}

  /// Writes `data` once; where `optional`, a lack of permission is ignored.
  record Write(String path, byte[] data, boolean optional) implements InHost {}

  /// As `kind` of [Open]: anything.
  long OPEN_ANY = 0;

  /// As `kind` of [Open]: a directory.
  long OPEN_DIRECTORY = 1;

  /// As `kind` of [Open]: anything but a directory.
  long OPEN_NOT_DIRECTORY = 2;

  /// Opens a path into a slot; `flags` as in open(2), O_CLOEXEC is added.
  record Open(int slot, String path, long flags, long kind) implements InHost {}

  /// A detached clone of the mount at a path.
  record OpenTree(Stage stage, int slot, int dir, String path, boolean recursive)
      implements Operation {}

  /// A new detached mount; `attributes` are [MountAttributes].
  record MountNew(Stage stage, int slot, String type, List<String> options, long attributes)
      implements Operation {
    public MountNew {
      options = List.copyOf(options);
    }
  }

  /// mount_setattr(2) on the mount in a slot; `userns` is -1 or the slot of a user namespace.
  record MountSetattr(
      Stage stage, int slot, long set, long clear, long propagation, boolean recursive, int userns)
      implements Operation {}

  /// What SELinux calls the root of the mount in a slot.
  record Label(Stage stage, int slot, String label) implements Operation {}

  /// A directory; an existing one is fine.
  record Mkdir(Stage stage, int dir, String path, int mode) implements Operation {}

  /// A device node or FIFO; `mode` includes the file type and is exact.
  record Mknod(Stage stage, int dir, String path, int mode, long rdev, int uid, int gid)
      implements Operation {}

  /// A symbolic link at `path` that says `target`.
  record Symlink(Stage stage, int dir, String path, String target) implements Operation {}

  /// The CLONE_NEW* flags that pause is born with.
  record Namespaces(long flags) implements InHost {}

  /// Joins namespaces of a process (pidfd in `slot`), one namespace, or [#TEMPLATE].
  record Setns(Stage stage, int slot, long flags) implements Operation {}

  /// unshare(2).
  record Unshare(Stage stage, long flags) implements Operation {}

  /// A new user namespace with these maps, as the lines of `uid_map` and `gid_map`
  /// (user_namespaces(7)).
  record UserNamespace(int slot, String uidMap, String gidMap) implements InHost {}

  /// Whose files are that are made from now on, as the host counts.
  record FsIds(long uid, long gid) implements InPod {}

  /// Attaches the mount in `slot` as the new root, [#NEW_ROOT] from then on.
  record Root(int slot) implements InPod {}

  /// What is made as a mount's target where it is missing.
  enum TargetKind {
    /// Nothing: it has to be there.
    EXISTING(0),
    DIRECTORY(1),
    FILE(2),
    /// A directory; refused with ELOOP if any part of the path is a link.
    PLAIN_DIRECTORY(5);

    private final int code;

    TargetKind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  /// Attaches the mount in `slot` at a path.
  record Attach(Stage stage, int slot, int dir, String path, TargetKind kind)
      implements Operation {}

  /// pivot_root(2) into the new root; the old one is detached.
  record Pivot() implements InPod {}

  /// What [Mask] covers files with, prepared before [Pivot].
  record NullDevice(int slot) implements InPod {}

  /// A new procfs at `/proc`.
  record MountProc(long attributes) implements InProcess {}

  /// Covers a path; a missing one is fine.
  record Mask(String path) implements InProcess {}

  /// Makes a path read-only; a missing one is fine.
  record Readonly(String path) implements InProcess {}

  /// sethostname(2).
  record Hostname(String name) implements InProcess {}

  /// A resource limit, lowered to what is permitted.
  record Rlimit(int resource, long soft, long hard) implements InProcess {}

  /// setgroups(2).
  record Groups(List<Long> ids) implements InProcess {
    public Groups {
      ids = List.copyOf(ids);
    }
  }

  /// setresgid(2) and setresuid(2).
  record Ids(long uid, long gid) implements InProcess {}

  /// Pipes of ours and the terminal on 0, 1 and 2 belong to this user, as the present user
  /// namespace counts.
  record StdioOwner(long uid) implements InProcess {}

  /// The capability sets after [Ids], as bit sets.
  record Capabilities(long bounding, long permitted, long effective, long inheritable, long ambient)
      implements InProcess {}

  /// Nothing that is executed may gain privileges.
  record NoNewPrivileges() implements InProcess {}

  /// The BPF program in the memfd of a slot, with flags of seccomp(2). Only [Exec] comes after it.
  record Seccomp(int slot, int flags) implements InProcess {}

  /// The label that a security module gives at the execution: written to a file of `/proc/PID/attr`.
  record ExecLabel(String attribute, String label) implements InProcess {}

  /// umask(2).
  record Umask(int mask) implements InProcess {}

  /// The working directory, entered as the process's user.
  record Chdir(String path) implements InProcess {}

  /// A terminal from the container's own devpts.
  record Tty(int rows, int columns) implements InProcess {
    /// Its size until somebody sets it.
    public static final Tty STANDARD = new Tty(24, 80);
  }

  /// Writes below `/proc/sys`.
  record Sysctl(String name, String value) implements InProcess {}

  /// The program, last.
  record Exec(List<String> argv, List<String> env) implements InProcess {
    public Exec {
      argv = List.copyOf(argv);
      env = List.copyOf(env);
    }
  }

  /// A program of the machine's that makes the main process instead of becoming it, last: the process whose number it
  /// writes to `pidFile`, in decimal, is the main process once it has ended with 0.
  record Restore(List<String> argv, List<String> env, String pidFile) implements InProcess {
    public Restore {
      argv = List.copyOf(argv);
      env = List.copyOf(env);
    }
  }

  /// The pause program, last in a plan of kind [PlanKind#PAUSE].
  record ExecPause() implements InProcess {}
}
