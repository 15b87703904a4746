package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.cni.PortMapping;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.EnvVar;
import dev.peapod.engine.model.ExecResult;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.engine.model.SandboxStatus.SandboxState;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Pods and containers that really run. At the end nothing of them may be left on the machine.
class EngineTest {
  private static TestEngine engine;

  @BeforeAll
  static void start() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assumeTrue(TestImage.canBeMade(), "needs busybox in /bin");
    engine = new TestEngine();
  }

  @AfterAll
  static void end() throws IOException {
    if (engine != null) {
      engine.close();
    }
  }

  @AfterEach
  void removeAll() {
    for (SandboxStatus sandbox : runtime().sandboxes()) {
      runtime().removeSandbox(sandbox.id());
    }
    assertThat(runtime().containers()).isEmpty();
  }

  private static PodRuntime runtime() {
    return engine.runtime();
  }

  private static void assertFails(Kind kind, String text, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(text)
        .extracting(e -> ((PeapodException) e).kind())
        .isEqualTo(kind);
  }

  @Test
  void runsAContainerToItsEnd() throws IOException {
    String sandbox = engine.sandbox("web");
    String id =
        runtime()
            .createContainer(sandbox, TestEngine.shell("one", "echo out; echo err >&2; exit 7"));
    assertThat(runtime().container(id).state()).isEqualTo(ContainerState.CREATED);
    runtime().startContainer(id);
    ContainerStatus ended = engine.awaitExit(id);
    assertThat(ended.exitCode()).isEqualTo(7);
    assertThat(ended.reason()).isEqualTo("Error");
    assertThat(ended.createdAt()).isPositive().isLessThanOrEqualTo(ended.startedAt());
    assertThat(ended.finishedAt()).isGreaterThanOrEqualTo(ended.startedAt());
    assertThat(engine.log(id).lines()).containsExactlyInAnyOrder("out", "err");
    assertThat(runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.READY);
  }

  /// A kubelet takes EXITED with 0 for success.
  @Test
  void tellsHowItEndedAsSoonAsItTellsThatItDid() {
    String sandbox = engine.sandbox("ends");
    for (int i = 0; i < 40; i++) {
      String id = runtime().createContainer(sandbox, TestEngine.shell("end" + i, "exit 3"));
      runtime().startContainer(id);
      ContainerStatus status;
      do {
        status = runtime().container(id);
      } while (status.state() != ContainerState.EXITED);
      assertThat(status.exitCode()).isEqualTo(3);
      assertThat(status.reason()).isEqualTo("Error");
    }
  }

  @Test
  void sharesThePodsNamespaces() throws IOException {
    String sandbox = engine.sandbox("shared");
    String names = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; ";
    String first =
        engine.output(sandbox, TestEngine.shell("a", names + "hostname; touch /dev/shm/x"));
    String second = engine.output(sandbox, TestEngine.shell("b", names + "hostname; ls /dev/shm"));
    assertThat(first.lines().limit(4)).isEqualTo(second.lines().limit(4).toList()).hasSize(4);
    assertThat(first).endsWith("shared\n");
    assertThat(second).endsWith("shared\nx\n");
    assertThat(first)
        .doesNotContain(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
    String processes = engine.output(sandbox, TestEngine.shell("c", "ps"));
    assertThat(processes).containsPattern("1 root +pause");
    assertThat(engine.output(sandbox, TestEngine.shell("d", "ip a; cat /etc/hosts")))
        .contains(runtime().sandbox(sandbox).ips().getFirst() + "/24")
        .contains(runtime().sandbox(sandbox).ips().getFirst() + "\tshared");
  }

  @Test
  void showsDescriptors0To2AndNothingElse() throws IOException {
    String sandbox = engine.sandbox("descriptors");
    String id = engine.run(sandbox, TestEngine.shell("c", "echo up; while true; do sleep 1; done"));
    // Before that, the program's loader has its libraries open.
    engine.awaitLog(id, "up");
    int pid = runtime().container(id).pid();
    try (var open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      assertThat(open.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrder("0", "1", "2");
    }
    assertThat(Files.readString(Path.of("/proc/" + pid + "/cgroup")))
        .contains(TestEngine.CGROUP + "/" + sandbox + "/" + id);
    assertThat(Files.readString(Path.of("/proc/" + pid + "/status")))
        .contains("CapInh:\t0000000000000000")
        .contains("CapBnd:\t00000000a80425fb")
        .contains("CapEff:\t00000000a80425fb");
  }

  @Test
  void hasOwnPidNamespaceWhereAsked() throws IOException {
    String sandbox = engine.sandbox("pids");
    ContainerSpec own =
        Specs.withSecurity(
            TestEngine.shell("own", "echo $$"), Specs.pid(NamespaceMode.CONTAINER, ""));
    assertThat(engine.output(sandbox, own)).isEqualTo("1\n");
    String target =
        engine.run(
            sandbox,
            Specs.withSecurity(
                TestEngine.command("t", List.of("sleep", "1000")),
                Specs.pid(NamespaceMode.CONTAINER, "")));
    ContainerSpec joining =
        Specs.withSecurity(TestEngine.shell("j", "ps"), Specs.pid(NamespaceMode.TARGET, target));
    assertThat(engine.output(sandbox, joining)).containsPattern("1 root +sleep 1000");
  }

  @Test
  void runsOnTheHostsNetwork() throws IOException {
    String sandbox = runtime().runSandbox(engine.sandboxSpec("host", NamespaceMode.NODE));
    assertThat(runtime().sandbox(sandbox).ips()).isEmpty();
    String host = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
    assertThat(engine.output(sandbox, TestEngine.shell("c", "readlink /proc/self/ns/net")))
        .isEqualTo(host + "\n");
  }

  @Test
  void stopsBySignalThenByForce() {
    String sandbox = engine.sandbox("stop");
    String polite =
        engine.run(
            sandbox,
            TestEngine.shell(
                "polite",
                "trap 'echo bye; exit 3' TERM; echo up; while true; do sleep 0.01; done"));
    engine.awaitLog(polite, "up");
    runtime().stopContainer(polite, Duration.ofSeconds(20));
    assertThat(runtime().container(polite).exitCode()).isEqualTo(3);
    String deaf =
        engine.run(
            sandbox,
            TestEngine.shell("deaf", "trap '' TERM; echo up; while true; do sleep 1000; done"));
    engine.awaitLog(deaf, "up");
    runtime().stopContainer(deaf, Duration.ofMillis(100));
    ContainerStatus killed = runtime().container(deaf);
    assertThat(killed.state()).isEqualTo(ContainerState.EXITED);
    assertThat(killed.exitCode()).isEqualTo(137);
    runtime().stopContainer(deaf, Duration.ZERO);
    runtime().stopContainer("gone", Duration.ZERO);
  }

  @Test
  void killsAllThatAContainerStarted() throws IOException {
    String sandbox = engine.sandbox("leftover");
    String id = engine.run(sandbox, TestEngine.shell("c", "sleep 1000 & sleep 1001 & echo done"));
    engine.awaitExit(id);
    assertThat(engine.output(sandbox, TestEngine.shell("look", "ps"))).doesNotContain("sleep 100");
  }

  @Test
  void saysWhyAContainerDoesNotStart() {
    String sandbox = engine.sandbox("failures");
    assertStartFails(
        sandbox, "/no/such", 127, "container \"x\": command \"/no/such\" not found in the image");
    assertStartFails(
        sandbox, "nothing", 127, "container \"x\": command \"nothing\" not found in the image");
    assertStartFails(
        sandbox, "/etc/plain", 126, "container \"x\": command \"/etc/plain\" is not executable");
  }

  private static void assertStartFails(String sandbox, String command, int code, String text) {
    String id = runtime().createContainer(sandbox, TestEngine.command("x", List.of(command)));
    assertFails(Kind.INVALID, text, () -> runtime().startContainer(id));
    ContainerStatus status = runtime().container(id);
    assertThat(status.state()).isEqualTo(ContainerState.EXITED);
    assertThat(status.exitCode()).isEqualTo(code);
    assertThat(status.reason()).isEqualTo("StartError");
    assertThat(status.message()).isEqualTo(text);
    runtime().removeContainer(id);
  }

  @Test
  void refusesWhatCanNotBe() {
    String sandbox = engine.sandbox("refusals");
    ContainerSpec plain = TestEngine.shell("x", "true");
    assertFails(
        Kind.NOT_FOUND,
        "image \"no/such:1\" is not here",
        () -> runtime().createContainer(sandbox, ContainerSpec.of("x", "no/such:1")));
    assertFails(
        Kind.INVALID,
        "user \"nobody-knows\" is not in the image's /etc/passwd",
        () ->
            runtime()
                .createContainer(
                    sandbox,
                    Specs.withSecurity(
                        plain, Specs.user(null, null, "nobody-knows", List.of(), false))));
    assertFails(
        Kind.INVALID,
        "mounts[0].host_path \"/no/such\" does not exist",
        () ->
            runtime()
                .createContainer(sandbox, Specs.withMounts(plain, mount("/x", "/no/such", false))));
    assertFails(
        Kind.INVALID,
        "capability \"FLY\" does not exist",
        () -> {
          ContainerSpec spec =
              Specs.withSecurity(plain, Specs.capabilities(List.of("FLY"), List.of(), false));
          runtime().startContainer(runtime().createContainer(sandbox, spec));
        });
    assertFails(Kind.NOT_FOUND, "no sandbox", () -> runtime().createContainer("gone", plain));
    assertFails(Kind.NOT_FOUND, "no container", () -> runtime().startContainer("gone"));
    assertFails(Kind.NOT_FOUND, "no container", () -> runtime().container("gone"));
  }

  @Test
  void givesNamesBackWhenMakingFails() {
    String sandbox = engine.sandbox("names");
    ContainerSpec bad =
        Specs.withSecurity(
            TestEngine.shell("x", "true"),
            Specs.user(null, null, "nobody-knows", List.of(), false));
    assertThatThrownBy(() -> runtime().createContainer(sandbox, bad))
        .isInstanceOf(PeapodException.class);
    String id = runtime().createContainer(sandbox, TestEngine.shell("x", "true"));
    assertFails(
        Kind.ALREADY_EXISTS,
        "is taken by " + id,
        () -> runtime().createContainer(sandbox, TestEngine.shell("x", "true")));
    assertFails(Kind.ALREADY_EXISTS, "is taken by " + sandbox, () -> engine.sandbox("names"));
    runtime().removeContainer(id);
    runtime().createContainer(sandbox, TestEngine.shell("x", "true"));
  }

  @Test
  void startsOnceOnly() {
    String sandbox = engine.sandbox("once");
    String id = engine.run(sandbox, TestEngine.command("c", List.of("sleep", "1000")));
    assertFails(Kind.FAILED_PRECONDITION, "it is RUNNING", () -> runtime().startContainer(id));
    runtime().stopContainer(id, Duration.ZERO);
    assertFails(Kind.FAILED_PRECONDITION, "it is EXITED", () -> runtime().startContainer(id));
  }

  @Test
  void setsUserEnvironmentAndDirectory() throws IOException {
    String sandbox = engine.sandbox("identity");
    ContainerSpec spec = TestEngine.shell("c", "id; pwd; echo $FROM $HOME $A $B; umask");
    ContainerSpec changed =
        Specs.withEnv(
            Specs.withWorkingDir(
                Specs.withSecurity(spec, Specs.user(1000L, null, "", List.of(55L), false)),
                "/made/deep"),
            new EnvVar("A", "1 2"),
            new EnvVar("FROM", "request"),
            new EnvVar("B", "x"));
    assertThat(engine.output(sandbox, changed))
        .isEqualTo(
            """
            uid=1000(app) gid=1001(app) groups=29(audio),55,1001(app)
            /made/deep
            request /home/app 1 2 x
            0022
            """);
    assertThat(engine.output(sandbox, TestEngine.shell("d", "pwd; echo $FROM $HOME")))
        .isEqualTo("/work\nimage /root\n");
  }

  @Test
  void changesCapabilities() throws IOException {
    String sandbox = engine.sandbox("capabilities");
    ContainerSpec show =
        TestEngine.shell("c", "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status");
    ContainerSpec dropped =
        Specs.withSecurity(
            show, Specs.capabilities(List.of("cap_net_admin"), List.of("ALL"), true));
    assertThat(engine.output(sandbox, dropped))
        .isEqualTo("CapEff:\t0000000000001000\nCapBnd:\t0000000000001000\nNoNewPrivs:\t1\n");
  }

  private static MountSpec mount(String target, String source, boolean readOnly) {
    return MountSpec.of(target, source, readOnly);
  }

  @Test
  void mountsHostPaths() throws IOException {
    Path data = Files.createDirectory(engine.root.resolve("data"));
    Path file = Files.writeString(engine.root.resolve("file"), "content\n");
    Path link = Files.createSymbolicLink(engine.root.resolve("link"), data);
    String sandbox = engine.sandbox("mounts");
    ContainerSpec spec =
        Specs.withMounts(
            TestEngine.shell(
                "c",
                "cat /a/file /etc/resolv.conf; echo new > /data/new; echo no > /ro/x; echo no >"
                    + " /a/file; ls /via"),
            mount("/data", data.toString(), false),
            mount("/ro", data.toString(), true),
            mount("/a/file", file.toString(), true),
            mount("/via", link.toString(), false),
            mount("/etc/resolv.conf", file.toString(), true));
    String output = engine.output(sandbox, spec);
    assertThat(output)
        .startsWith("content\ncontent\n")
        .contains("\nnew\n")
        .contains("can't create /ro/x: Read-only file system")
        .contains("can't create /a/file: Read-only file system");
    assertThat(data.resolve("new")).hasContent("new\n");
    assertThat(file).hasContent("content\n");
    Leftovers.deleteTree(data);
    Files.delete(file);
    Files.delete(link);
  }

  @Test
  void aStartWhoseImageVolumeIsGoneLeavesNoDescriptor() throws IOException {
    String sandbox = engine.sandbox("volumes");
    String target = engine.run(sandbox, TestEngine.command("target", List.of("sleep", "1000")));
    MountSpec volume =
        new MountSpec(
            "/image",
            "",
            true,
            false,
            MountSpec.Propagation.PRIVATE,
            false,
            false,
            List.of(),
            new MountSpec.ImageVolume(TestImage.NAME, "", "", List.of()));
    Path layers = engine.root.resolve("images/l");
    Path aside = engine.root.resolve("images/aside");
    int starts = 12;
    long before = 0;
    for (int i = 0; i < starts; i++) {
      String id =
          runtime()
              .createContainer(
                  sandbox,
                  Specs.withSecurity(
                      Specs.withMounts(TestEngine.command("c" + i, List.of("true")), volume),
                      Specs.pid(NamespaceMode.TARGET, target)));
      Files.move(layers, aside);
      assertThatThrownBy(() -> runtime().startContainer(id)).isInstanceOf(RuntimeException.class);
      Files.move(aside, layers);
      runtime().removeContainer(id);
      if (i == 0) {
        before = descriptors();
      }
    }
    // The engine opens some for other things meanwhile; what is lost stays, one for each start.
    long bound = before + starts / 2;
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(descriptors()).isLessThan(bound));
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @Test
  void protectsProcSysAndTheRoot() throws IOException {
    String sandbox = engine.sandbox("protected");
    String output =
        engine.output(
            sandbox,
            TestEngine.shell(
                "c",
                "wc -c < /proc/keys; ls /sys/firmware; echo 1 > /proc/sys/kernel/panic; mkdir"
                    + " /sys/x; echo 0 > /dev/null; echo ok > /x; cat /x"));
    assertThat(output)
        .startsWith("0\n")
        .contains("/proc/sys/kernel/panic: Read-only file system")
        .contains("'/sys/x': Read-only file system")
        .contains("\nok\n");
    ContainerSpec readonly =
        Specs.withSecurity(
            TestEngine.shell("r", "echo no > /x; echo yes > /dev/shm/x; cat /dev/shm/x"),
            Specs.readonlyRootfs());
    assertThat(engine.output(sandbox, readonly))
        .contains("can't create /x: Read-only file system")
        .contains("yes\n");
  }

  @Test
  void keepsTheHostsDisksFromContainers() throws IOException {
    String script =
        "mknod /x b 254 0; mknod /dev/y c 1 1; dd if=/x of=/dev/null count=1; cat /dev/y; dd"
            + " if=/dev/zero of=/dev/null count=1 && echo fine";
    for (String parent : List.of("", TestEngine.CGROUP + "/given")) {
      SandboxSpec spec = withCgroup(engine.sandboxSpec("devices" + parent.length()), parent);
      assertThat(engine.output(runtime().runSandbox(spec), TestEngine.shell("c", script)))
          .contains("can't open '/x': Operation not permitted")
          .contains("can't open '/dev/y': Operation not permitted")
          .contains("fine");
    }
  }

  @Test
  void givesATerminal() throws IOException {
    String sandbox = engine.sandbox("terminal");
    ContainerSpec s =
        TestEngine.shell("c", "test -t 0 && test -t 1 && readlink /proc/self/fd/0; echo $TERM");
    ContainerSpec spec =
        new ContainerSpec(
            s.name(),
            s.attempt(),
            s.image(),
            s.userSpecifiedImage(),
            s.command(),
            s.args(),
            s.workingDir(),
            s.env(),
            s.mounts(),
            s.devices(),
            s.labels(),
            s.annotations(),
            s.logPath(),
            true,
            false,
            true,
            s.resources(),
            s.security(),
            s.stopSignal());
    assertThat(engine.output(sandbox, spec)).isEqualTo("/dev/pts/0\r\nxterm\r\n");
  }

  @Test
  void limitsMemoryAndCpu() throws IOException {
    String sandbox = engine.sandbox("limits");
    ResourceSpec limits = new ResourceSpec(
            100_000, 50_000, 512, 32 << 20, 0, 500, "", "", Map.of(), Map.of());
    ContainerSpec greedy =
        Specs.withResources(
            TestEngine.shell("greedy", "dd if=/dev/zero of=/dev/null bs=100M count=1"), limits);
    ContainerStatus killed = engine.awaitExit(engine.run(sandbox, greedy));
    assertThat(killed.reason()).isIn("OOMKilled", "Error");
    ContainerSpec sleeping =
        Specs.withResources(TestEngine.command("s", List.of("sleep", "1000")), limits);
    String id = engine.run(sandbox, sleeping);
    String group = TestEngine.CGROUP + "/" + sandbox + "/" + id;
    assertThat(Path.of("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
        .hasContent("33554432");
    assertThat(Path.of("/sys/fs/cgroup/cpu", group, "cpu.shares")).hasContent("512");
    assertThat(Path.of("/sys/fs/cgroup/cpu", group, "cpu.cfs_quota_us")).hasContent("50000");
    assertThat(Path.of("/proc/" + runtime().container(id).pid() + "/oom_score_adj"))
        .hasContent("500");
    assertThat(text(exec(id, "cat /proc/self/oom_score_adj").stdout())).isEqualTo("500\n");
  }

  @Test
  void tellsAKillForWantOfMemory() {
    String sandbox = engine.sandbox("oom");
    ResourceSpec limits = new ResourceSpec(0, 0, 0, 16 << 20, 0, 0, "", "", Map.of(), Map.of());
    ContainerSpec greedy =
        Specs.withResources(
            TestEngine.command(
                "greedy", List.of("dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1")),
            limits);
    ContainerStatus killed = engine.awaitExit(engine.run(sandbox, greedy));
    assertThat(killed.exitCode()).isEqualTo(137);
    assertThat(killed.reason()).isEqualTo("OOMKilled");
  }

  @Test
  void executesCommands() {
    String sandbox = engine.sandbox("exec");
    String id = engine.run(sandbox, TestEngine.command("c", List.of("sleep", "1000")));
    ExecResult result = exec(id, "echo out; echo err >&2; id -u; pwd; exit 5");
    assertThat(text(result.stdout())).isEqualTo("out\n0\n/work\n");
    assertThat(text(result.stderr())).isEqualTo("err\n");
    assertThat(result.exitCode()).isEqualTo(5);
    assertThat(exec(id, "kill -9 $$").exitCode()).isEqualTo(137);
    assertThat(text(exec(id, "ls /proc/self/fd | wc -l").stdout()).strip()).isEqualTo("4");
    assertFails(
        Kind.INVALID,
        "exec in container \"c\": command \"nothing\" not found in the image",
        () -> runtime().exec(id, List.of("nothing"), Duration.ZERO));
    ExecResult big = exec(id, "yes | head -c 20000000; echo end >&2");
    assertThat(big.stdout()).hasSizeBetween(15 << 20, (16 << 20) - 1);
    assertThat(big.stderr().length + big.stdout().length).isLessThan(16 << 20);
    runtime().stopContainer(id, Duration.ZERO);
    assertFails(Kind.FAILED_PRECONDITION, "is not running", () -> exec(id, "true"));
  }

  @Test
  void killsACommandThatTakesTooLong() {
    String sandbox = engine.sandbox("timeout");
    String id = engine.run(sandbox, TestEngine.command("c", List.of("sleep", "1000")));
    assertFails(
        Kind.DEADLINE_EXCEEDED,
        "timed out after 0.2 s",
        () ->
            runtime()
                .exec(id, List.of("sh", "-c", "sleep 2000 & sleep 2001"), Duration.ofMillis(200)));
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(text(exec(id, "ps").stdout())).doesNotContain("sleep 200"));
    assertThat(text(exec(id, "ps").stdout())).contains("sleep 1000");
  }

  private static ExecResult exec(String id, String script) {
    return runtime().exec(id, List.of("sh", "-c", script), Duration.ofSeconds(60));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void goesWithItsPause() throws IOException {
    String sandbox = engine.sandbox("pause");
    ContainerSpec spec =
        Specs.withSecurity(
            TestEngine.command("c", List.of("sleep", "1000")),
            Specs.pid(NamespaceMode.CONTAINER, ""));
    String id = engine.run(sandbox, spec);
    new ProcessBuilder("kill", "-9", Integer.toString(runtime().sandbox(sandbox).pid())).start();
    assertThat(engine.awaitExit(id).exitCode()).isEqualTo(137);
    assertThat(runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.NOT_READY);
    assertFails(
        Kind.FAILED_PRECONDITION,
        "is not ready",
        () -> runtime().createContainer(sandbox, TestEngine.shell("x", "true")));
    runtime().stopSandbox(sandbox);
    runtime().removeSandbox(sandbox);
    runtime().removeSandbox(sandbox);
  }

  @Test
  void stopsAndRemovesASandboxWithAllInIt() {
    String sandbox = engine.sandbox("whole");
    String running = engine.run(sandbox, TestEngine.command("r", List.of("sleep", "1000")));
    String created = runtime().createContainer(sandbox, TestEngine.shell("c", "true"));
    runtime().stopSandbox(sandbox);
    runtime().stopSandbox(sandbox);
    assertThat(runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.NOT_READY);
    assertThat(runtime().container(running).exitCode()).isEqualTo(137);
    assertFails(Kind.FAILED_PRECONDITION, "is not ready", () -> runtime().startContainer(created));
    runtime().removeSandbox(sandbox);
    assertThat(runtime().containers()).isEmpty();
    runtime().stopSandbox(sandbox);
  }

  @Test
  void leavesNothingWhenMadeAndRemovedAtOnce() throws Exception {
    for (int i = 0; i < 10; i++) {
      String sandbox = engine.sandbox("race" + i);
      List<Thread> makers = new ArrayList<>();
      for (int j = 0; j < 4; j++) {
        ContainerSpec spec = TestEngine.command("c" + j, List.of("sleep", "1000"));
        makers.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    runtime().startContainer(runtime().createContainer(sandbox, spec));
                  } catch (PeapodException e) {
                    assertThat(e.kind()).isIn(Kind.FAILED_PRECONDITION, Kind.NOT_FOUND);
                  }
                }));
      }
      runtime().removeSandbox(sandbox);
      for (Thread maker : makers) {
        maker.join();
      }
      assertThat(runtime().containers()).isEmpty();
      assertThat(Path.of("/sys/fs/cgroup/memory" + TestEngine.CGROUP + "/" + sandbox))
          .doesNotExist();
    }
  }

  @Test
  void keepsOwnersApart() {
    String sandbox = engine.sandbox("mine");
    PodRuntime other = engine.engine().owner("other");
    assertThat(other.sandboxes()).isEmpty();
    assertFails(Kind.NOT_FOUND, "no sandbox", () -> other.sandbox(sandbox));
    other.removeSandbox(sandbox);
    String same = other.runSandbox(engine.sandboxSpec("mine"));
    assertThat(other.sandboxes()).extracting(SandboxStatus::id).containsExactly(same);
    assertThat(runtime().sandbox(sandbox.substring(0, 20)).id()).isEqualTo(sandbox);
    assertFails(Kind.NOT_FOUND, "no sandbox", () -> runtime().sandbox(same.substring(0, 20)));
    other.removeSandbox(same);
  }

  @Test
  void tellsAClashOfHostPorts() {
    SandboxSpec plain = engine.sandboxSpec("ports");
    SandboxSpec spec = withPorts(plain, 12340);
    String sandbox = runtime().runSandbox(spec);
    SandboxSpec second = withPorts(engine.sandboxSpec("ports2"), 12340);
    assertFails(Kind.FAILED_PRECONDITION, "12340", () -> runtime().runSandbox(second));
    assertThat(runtime().sandboxes()).hasSize(1);
    runtime().stopSandbox(sandbox);
    runtime().removeSandbox(runtime().runSandbox(second));
  }

  private static SandboxSpec withPorts(SandboxSpec s, int port) {
    return new SandboxSpec(
        s.metadata(),
        s.hostname(),
        s.logDirectory(),
        s.dns(),
        List.of(new PortMapping(dev.peapod.cni.Protocol.TCP, 80, port, "")),
        s.labels(),
        s.annotations(),
        s.runtimeHandler(),
        s.cgroupParent(),
        s.network(),
        s.pid(),
        s.ipc(),
        s.sysctls(),
        s.privileged(),
        null,
        null,
        ResourceSpec.NONE);
  }

  @Test
  void placesPodsUnderTheCallersCgroup() {
    SandboxSpec s = withCgroup(engine.sandboxSpec("placed"), TestEngine.CGROUP + "/burstable/pod1");
    SandboxSpec spec =
        new SandboxSpec(
            s.metadata(),
            s.hostname(),
            s.logDirectory(),
            s.dns(),
            s.ports(),
            s.labels(),
            s.annotations(),
            s.runtimeHandler(),
            s.cgroupParent(),
            s.network(),
            s.pid(),
            s.ipc(),
            Map.of("net.ipv4.ip_unprivileged_port_start", "100", "kernel.shm_rmid_forced", "1"),
            s.privileged(),
            null,
            null,
            ResourceSpec.NONE);
    String sandbox = runtime().runSandbox(spec);
    String id = engine.run(sandbox, TestEngine.command("c", List.of("sleep", "1000")));
    Path group = Path.of("/sys/fs/cgroup/memory" + TestEngine.CGROUP + "/burstable/pod1");
    assertThat(group.resolve(id)).isDirectory();
    assertThat(group.resolve("cgroup.procs"))
        .hasContent(Integer.toString(runtime().sandbox(sandbox).pid()));
    assertThat(
            text(
                exec(
                        id,
                        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
                            + " /proc/sys/kernel/shm_rmid_forced")
                    .stdout()))
        .isEqualTo("100\n1\n");
    runtime().removeSandbox(sandbox);
    assertThat(group.getParent()).doesNotExist();
  }

  private static SandboxSpec withCgroup(SandboxSpec s, String parent) {
    return new SandboxSpec(
        s.metadata(),
        s.hostname(),
        s.logDirectory(),
        s.dns(),
        s.ports(),
        s.labels(),
        s.annotations(),
        s.runtimeHandler(),
        parent,
        s.network(),
        s.pid(),
        s.ipc(),
        s.sysctls(),
        s.privileged(),
        null,
        null,
        ResourceSpec.NONE);
  }
}
