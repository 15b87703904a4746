package dev.peapod.engine.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The same plans that the native reader is tested with, byte by byte.
class GoldenPlansTest {
  private static final String CGROUP = "/sys/fs/cgroup/unified/peapod/pod1";

  record Golden(String name, LaunchPlan plan) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Golden> goldens() {
    return Stream.of(
        new Golden("pause", pause()),
        new Golden("container", container()),
        new Golden("terminal", terminal()),
        new Golden("exec", exec()),
        new Golden("holder", holder()),
        new Golden("encodings", encodings()),
        new Golden("restore", restore()),
        new Golden("users-pause", usersPause()),
        new Golden("users-container", usersContainer()));
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void writesTheGoldenBytes(Golden golden) throws IOException {
    byte[] expected = Files.readAllBytes(directory().resolve(golden.name + ".plan"));
    assertThat(golden.plan.encode()).isEqualTo(expected);
  }

  @Test
  void coversEveryGoldenFile() throws IOException {
    try (Stream<Path> files = Files.list(directory())) {
      List<String> names =
          files
              .map(f -> f.getFileName().toString())
              .filter(n -> n.endsWith(".plan"))
              .map(n -> n.substring(0, n.length() - 5))
              .toList();
      assertThat(names).containsExactlyInAnyOrderElementsOf(goldens().map(Golden::name).toList());
    }
  }

  @Test
  void refusesOperationsOutOfOrder() {
    List<Operation> operations = List.of(new Operation.Pivot(), new Operation.Namespaces(0));
    assertThatThrownBy(() -> new LaunchPlan(PlanKind.CONTAINER, operations, 0, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Path directory() {
    return Path.of(System.getProperty("peapod.native", ""))
        .resolve("../../tests/golden")
        .normalize();
  }

  private static LaunchPlan plan(PlanKind kind, int slots, Operation... operations) {
    return new LaunchPlan(kind, List.of(operations), slots, List.of());
  }

  private static LaunchPlan pause() {
    return plan(
        PlanKind.PAUSE,
        1,
        new Operation.CgroupInto(CGROUP),
        new Operation.CgroupEnter("/sys/fs/cgroup/memory/peapod/pod1/tasks"),
        new Operation.Write(
            "/proc/self/oom_score_adj", "-998".getBytes(StandardCharsets.UTF_8), true),
        new Operation.Namespaces(
            CloneFlags.NEWNS
                | CloneFlags.NEWNET
                | CloneFlags.NEWIPC
                | CloneFlags.NEWUTS
                | CloneFlags.NEWPID),
        new Operation.MountNew(
            Stage.HOST,
            0,
            "tmpfs",
            List.of("source=shm", "size=67108864", "mode=1777"),
            MountAttributes.NOSUID | MountAttributes.NODEV | MountAttributes.NOEXEC),
        new Operation.Setns(Stage.POD, Operation.TEMPLATE, CloneFlags.NEWNS),
        new Operation.Attach(
            Stage.PROCESS, 0, Operation.PRESENT_ROOT, "/shm", Operation.TargetKind.EXISTING),
        new Operation.Hostname("web"),
        new Operation.Sysctl("net.ipv4.ip_unprivileged_port_start", "0"),
        new Operation.ExecPause());
  }

  private static LaunchPlan container() {
    String cgroup = CGROUP + "/c0ffee";
    return plan(
        PlanKind.CONTAINER,
        12,
        new Operation.Log("/var/log/pods/default_web_1/nginx/0.log"),
        new Operation.ExitRecord("/run/peapod/exits", "c0ffee"),
        new Operation.KillCgroup(Operation.KillKind.KILL_FILE, cgroup + "/cgroup.kill"),
        new Operation.OomCounter(
            Operation.OomKind.KILLS,
            "/sys/fs/cgroup/memory/peapod/pod1/c0ffee/memory.oom_control",
            "oom_kill"),
        new Operation.OomCounter(
            Operation.OomKind.LIMIT_HITS,
            "/sys/fs/cgroup/memory/peapod/pod1/c0ffee/memory.failcnt",
            ""),
        new Operation.Stdio(-2, -1, -1),
        new Operation.Control("/run/peapod/control/c0ffee"),
        new Operation.CgroupInto(cgroup),
        new Operation.CgroupEnter("/sys/fs/cgroup/memory/peapod/pod1/c0ffee/tasks"),
        new Operation.Open(2, "/sys/fs/cgroup/memory", 0x210000, Operation.OPEN_DIRECTORY),
        new Operation.OpenTree(Stage.HOST, 3, Operation.PRESENT_ROOT, "/dev/null", false),
        new Operation.OpenTree(Stage.HOST, 4, 2, "peapod/pod1/c0ffee", true),
        new Operation.MountSetattr(Stage.HOST, 4, 0xf, 0, MountAttributes.PRIVATE, true, -1),
        new Operation.MountNew(
            Stage.HOST,
            5,
            "tmpfs",
            List.of("source=tmpfs", "mode=755", "size=65536k"),
            MountAttributes.NOSUID),
        new Operation.Mkdir(Stage.HOST, 5, "pts", 0755),
        new Operation.Mknod(Stage.HOST, 5, "null", 020666, 0x103, 0, 0),
        new Operation.Symlink(Stage.HOST, 5, "fd", "/proc/self/fd"),
        new Operation.Setns(
            Stage.POD,
            0,
            CloneFlags.NEWNS | CloneFlags.NEWNET | CloneFlags.NEWIPC | CloneFlags.NEWUTS),
        new Operation.Unshare(Stage.POD, CloneFlags.NEWNS),
        new Operation.MountNew(Stage.POD, 6, "mqueue", List.of(), 0xe),
        new Operation.Label(Stage.POD, 6, "system_u:object_r:container_file_t:s0:c1,c2"),
        new Operation.OpenTree(Stage.POD, 7, Operation.PRESENT_ROOT, "/shm", false),
        new Operation.Root(1),
        new Operation.Attach(
            Stage.POD, 5, Operation.NEW_ROOT, "dev", Operation.TargetKind.PLAIN_DIRECTORY),
        new Operation.Attach(
            Stage.POD, 7, Operation.NEW_ROOT, "dev/shm", Operation.TargetKind.DIRECTORY),
        new Operation.NullDevice(3),
        new Operation.Pivot(),
        new Operation.Setns(Stage.POD, 0, CloneFlags.NEWPID),
        new Operation.MountProc(0xe),
        new Operation.Mask("/proc/kcore"),
        new Operation.Readonly("/proc/sys"),
        new Operation.ExecLabel("apparmor/exec", "exec web"),
        new Operation.Rlimit(7, 1024, 524288),
        new Operation.Umask(022),
        new Operation.Groups(List.of(0L, 101L, 4294967294L)),
        new Operation.Ids(101, 102),
        new Operation.Chdir("/usr/share/nginx"),
        new Operation.Capabilities(0xa80425fbL, 0xa80425fbL, 0xa80425fbL, 0, 0),
        new Operation.NoNewPrivileges(),
        new Operation.Seccomp(8, 2),
        new Operation.Exec(
            List.of("nginx", "-g", "daemon off;"), List.of("PATH=/usr/sbin:/usr/bin", "EMPTY=")));
  }

  private static LaunchPlan terminal() {
    return plan(
        PlanKind.CONTAINER,
        1,
        new Operation.Log("/var/log/tty.log"),
        new Operation.KillCgroup(Operation.KillKind.FREEZER, "/sys/fs/cgroup/freezer/peapod/c1"),
        new Operation.OomCounter(
            Operation.OomKind.POD_LIMIT_HITS,
            "/sys/fs/cgroup/peapod/memory.events.local",
            "oom"),
        new Operation.Tty(24, 80),
        new Operation.Exec(List.of("/bin/sh"), List.of()));
  }

  private static LaunchPlan exec() {
    String cgroup = CGROUP + "/c0ffee/exec-1";
    return plan(
        PlanKind.EXEC,
        4,
        new Operation.KillCgroup(Operation.KillKind.KILL_FILE, cgroup + "/cgroup.kill"),
        new Operation.Stdio(-1, 1, 2),
        new Operation.CgroupInto(cgroup),
        new Operation.Setns(
            Stage.POD,
            0,
            CloneFlags.NEWNS
                | CloneFlags.NEWNET
                | CloneFlags.NEWIPC
                | CloneFlags.NEWUTS
                | CloneFlags.NEWPID
                | CloneFlags.NEWCGROUP),
        new Operation.Chdir("/"),
        new Operation.Groups(List.of()),
        new Operation.Ids(0, 0),
        new Operation.Exec(List.of("sh", "-c", "echo \"grüße\"\nexit 3"), List.of("PATH=/bin")));
  }

  private static LaunchPlan usersPause() {
    return plan(
        PlanKind.PAUSE,
        1,
        new Operation.UserNamespace(0, "0 65536 65536\n", "0 131072 65536\n"),
        new Operation.Setns(Stage.POD, 0, CloneFlags.NEWUSER),
        new Operation.Ids(0, 0),
        new Operation.ExecPause());
  }

  private static LaunchPlan usersContainer() {
    return plan(
        PlanKind.CONTAINER,
        2,
        new Operation.MountSetattr(Stage.HOST, 1, 0, 0, 0, false, 0),
        new Operation.FsIds(65536, 131072),
        new Operation.StdioOwner(65636),
        new Operation.Setns(Stage.PROCESS, 1, CloneFlags.NEWUSER),
        new Operation.Unshare(Stage.PROCESS, CloneFlags.NEWNS),
        new Operation.Ids(100, 0),
        new Operation.Exec(List.of("sh"), List.of()));
  }

  private static LaunchPlan restore() {
    return plan(
        PlanKind.CONTAINER,
        2,
        new Operation.OpenTree(Stage.HOST, 1, Operation.PRESENT_ROOT, "/", true),
        new Operation.Root(1),
        new Operation.Attach(
            Stage.POD, 0, Operation.NEW_ROOT, "/made/rootfs", Operation.TargetKind.DIRECTORY),
        new Operation.Pivot(),
        new Operation.StdioOwner(101),
        new Operation.Restore(
            List.of("/usr/sbin/criu", "restore"), List.of("PATH=/usr/sbin"), "/made/pid"));
  }

  private static LaunchPlan holder() {
    byte[] target = {10, 88, 0, 2};
    byte[] loopback = new byte[16];
    loopback[15] = 1;
    return plan(
        PlanKind.HOLDER,
        1,
        new Operation.Listen(4, 6, new byte[4], 8080, target, 80),
        new Operation.Listen(6, 17, loopback, 5353, target, 53),
        new Operation.Await(0));
  }

  private static LaunchPlan encodings() {
    List<Operation> operations = new ArrayList<>();
    for (int i = 0; i <= 9; i++) {
      operations.add(new Operation.CgroupEnter("123456789".substring(9 - i)));
    }
    operations.add(new Operation.Write("/x", new byte[] {'a', 0, 'b', '\n', (byte) 0xff}, false));
    operations.add(new Operation.Write("/x", new byte[0], false));
    operations.add(new Operation.Open(255, "/", Long.MAX_VALUE, Long.MIN_VALUE));
    operations.add(new Operation.Exec(List.of(""), List.of("", "ü=€")));
    return new LaunchPlan(PlanKind.CONTAINER, operations, 256, List.of());
  }
}
