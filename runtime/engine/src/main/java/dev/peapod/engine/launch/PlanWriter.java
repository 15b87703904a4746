package dev.peapod.engine.launch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Writes a [LaunchPlan] as the bytes that `docs/launch-plan.md` describes. Little-endian.
final class PlanWriter {
  static final int MAGIC = 0x50414550;
  static final int VERSION = 1;

  private static final int HEADER = 24;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private byte[] out = new byte[8192];
  private int size;

  private PlanWriter() {}

  static byte[] write(LaunchPlan plan) {
    PlanWriter w = new PlanWriter();
    w.u32(MAGIC);
    w.u32(VERSION | plan.kind().code() << 16);
    w.u32(plan.operations().size());
    w.u32(plan.slots());
    w.u32(0);
    w.u32(0);
    for (Operation operation : plan.operations()) {
      int start = w.size;
      w.u32(0);
      w.u32(0);
      int code = w.arguments(operation);
      INT.set(w.out, start, code | operation.stage().code() << 16);
      INT.set(w.out, start + 4, w.size - start - 8);
    }
    INT.set(w.out, HEADER - 8, w.size);
    return Arrays.copyOf(w.out, w.size);
  }

  /// Writes an operation's arguments and answers its code.
  private int arguments(Operation operation) {
    return switch (operation) {
      case Operation.Log(String path) -> str(path).code(1);
      case Operation.ExitRecord(String directory, String id) -> str(directory).str(id).code(2);
      case Operation.KillCgroup(Operation.KillKind kind, String path) ->
          num(kind.code()).str(path).code(3);
      case Operation.OomCounter(Operation.OomKind kind, String path, String key) ->
          num(kind.code()).str(path).str(key).code(4);
      case Operation.Stdio(int in, int o, int err) -> num(in).num(o).num(err).code(5);
      case Operation.Control(String path) -> str(path).code(6);
      case Operation.CgroupEnter(String path) -> str(path).code(20);
      case Operation.CgroupInto(String path) -> str(path).code(21);
      case Operation.Write(String path, byte[] data, boolean optional) ->
          str(path).bytes(data).num(optional ? 1 : 0).code(22);
      case Operation.Open(int slot, String path, long flags, long kind) ->
          num(slot).str(path).num(flags).num(kind).code(23);
      case Operation.OpenTree(Stage stage, int slot, int dir, String path, boolean recursive) ->
          num(slot).num(dir).str(path).num(recursive ? 1 : 0).code(24);
      case Operation.MountNew m ->
          num(m.slot()).str(m.type()).list(m.options()).num(m.attributes()).code(25);
      case Operation.MountSetattr m ->
          num(m.slot())
              .num(m.set())
              .num(m.clear())
              .num(m.propagation())
              .num(m.recursive() ? 1 : 0)
              .num(m.userns())
              .code(26);
      case Operation.Mkdir(Stage stage, int dir, String path, int mode) ->
          num(dir).str(path).num(mode).code(27);
      case Operation.Mknod n ->
          num(n.dir()).str(n.path()).num(n.mode()).num(n.rdev()).num(n.uid()).num(n.gid()).code(28);
      case Operation.Symlink(Stage stage, int dir, String path, String target) ->
          num(dir).str(path).str(target).code(29);
      case Operation.Namespaces(long flags) -> num(flags).code(40);
      case Operation.Setns(Stage stage, int slot, long flags) -> num(slot).num(flags).code(41);
      case Operation.Unshare(Stage stage, long flags) -> num(flags).code(42);
      case Operation.Root(int slot) -> num(slot).num(-1).code(43);
      case Operation.Attach(
              Stage stage,
              int slot,
              int dir,
              String path,
              Operation.TargetKind kind) ->
          num(slot).num(dir).str(path).num(kind.code()).code(44);
      case Operation.Pivot() -> code(45);
      case Operation.UserNamespace(int slot, String uidMap, String gidMap) ->
          num(slot).str(uidMap).str(gidMap).code(46);
      case Operation.FsIds(long uid, long gid) -> num(uid).num(gid).code(47);
      case Operation.MountProc(long attributes) -> num(attributes).code(60);
      case Operation.Mask(String path) -> str(path).code(61);
      case Operation.Readonly(String path) -> str(path).code(62);
      case Operation.Hostname(String name) -> str(name).code(63);
      case Operation.Rlimit(int resource, long soft, long hard) ->
          num(resource).num(soft).num(hard).code(64);
      case Operation.Groups(List<Long> ids) -> groups(ids).code(65);
      case Operation.Ids(long uid, long gid) -> num(uid).num(gid).code(66);
      case Operation.Capabilities c ->
          num(c.bounding())
              .num(c.permitted())
              .num(c.effective())
              .num(c.inheritable())
              .num(c.ambient())
              .code(67);
      case Operation.NoNewPrivileges() -> code(68);
      case Operation.Seccomp(int slot, int flags) -> num(slot).num(flags).code(69);
      case Operation.Umask(int mask) -> num(mask).code(70);
      case Operation.Chdir(String path) -> str(path).code(71);
      case Operation.Tty(int rows, int columns) -> num(rows).num(columns).code(72);
      case Operation.Exec(List<String> argv, List<String> env) -> list(argv).list(env).code(73);
      case Operation.ExecPause() -> code(74);
      case Operation.Sysctl(String name, String value) -> str(name).str(value).code(75);
      case Operation.StdioOwner(long uid) -> num(uid).code(77);
      case Operation.Listen l ->
          num(l.family())
              .num(l.protocol())
              .bytes(l.address())
              .num(l.port())
              .bytes(l.targetAddress())
              .num(l.targetPort())
              .code(80);
      case Operation.NullDevice(int slot) -> num(slot).code(81);
      case Operation.ExecLabel(String attribute, String label) ->
          str(attribute).str(label).code(82);
      case Operation.Label(Stage stage, int slot, String label) -> num(slot).str(label).code(85);
      case Operation.Await(int slot) -> num(slot).code(83);
      case Operation.Restore(List<String> argv, List<String> env, String pidFile) ->
          list(argv).list(env).str(pidFile).code(84);
    };
  }

  /// Ends a chain of arguments with the operation's code.
  private int code(int code) {
    return code;
  }

  private void room(int bytes) {
    if (size + bytes > out.length) {
      out = Arrays.copyOf(out, Math.max(out.length * 2, size + bytes));
    }
  }

  private void u32(int value) {
    room(4);
    INT.set(out, size, value);
    size += 4;
  }

  private PlanWriter num(long value) {
    room(8);
    LONG.set(out, size, value);
    size += 8;
    return this;
  }

  private PlanWriter str(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL in a string of a launch plan");
    }
    return bytes(text.getBytes(StandardCharsets.UTF_8));
  }

  private PlanWriter bytes(byte[] data) {
    int padded = (4 + data.length + 1 + 7) & ~7;
    room(padded);
    INT.set(out, size, data.length);
    System.arraycopy(data, 0, out, size + 4, data.length);
    size += padded;
    return this;
  }

  private PlanWriter list(List<String> texts) {
    num(texts.size());
    for (String text : texts) {
      str(text);
    }
    return this;
  }

  private PlanWriter groups(List<Long> ids) {
    num(ids.size());
    for (long id : ids) {
      num(id);
    }
    return this;
  }
}
