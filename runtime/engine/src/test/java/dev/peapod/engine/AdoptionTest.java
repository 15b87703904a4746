package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.SandboxStatus.SandboxState;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Engines that end, and others that take over what they left.
class AdoptionTest {
  private TestEngine engine;

  @BeforeEach
  void start() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assumeTrue(TestImage.canBeMade(), "needs busybox in /bin");
    engine = new TestEngine();
  }

  @AfterEach
  void end() throws IOException {
    if (engine != null) {
      engine.close();
    }
  }

  private void restart(ThrowingStep meanwhile) throws Exception {
    engine.shutDown();
    meanwhile.run();
    engine.startAgain();
  }

  interface ThrowingStep {
    void run() throws Exception;
  }

  @Test
  void takesOverWhatRuns() throws Exception {
    String sandbox = engine.sandbox("kept");
    String counting =
        engine.run(
            sandbox,
            TestEngine.shell(
                "counting", "i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done"));
    String created =
        engine.runtime().createContainer(sandbox, TestEngine.shell("later", "echo started"));
    engine.awaitLog(counting, "3\n");
    int pid = engine.runtime().container(counting).pid();
    int pause = engine.runtime().sandbox(sandbox).pid();
    restart(() -> {});
    assertThat(engine.runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.READY);
    assertThat(engine.runtime().sandbox(sandbox).pid()).isEqualTo(pause);
    assertThat(engine.runtime().container(counting).state()).isEqualTo(ContainerState.RUNNING);
    assertThat(engine.runtime().container(counting).pid()).isEqualTo(pid);
    int lines = (int) engine.log(counting).lines().count();
    engine.awaitLog(counting, (lines + 3) + "\n");
    List<String> numbers = engine.log(counting).lines().toList();
    assertThat(numbers)
        .isEqualTo(
            Stream.iterate(0, i -> i + 1).limit(numbers.size()).map(String::valueOf).toList());
    assertThat(engine.runtime().exec(counting, List.of("true"), Duration.ZERO).exitCode()).isZero();
    engine.runtime().startContainer(created);
    assertThat(engine.awaitExit(created).exitCode()).isZero();
    engine.runtime().stopContainer(counting, Duration.ZERO);
    assertThat(engine.runtime().container(counting).exitCode()).isEqualTo(137);
    assertThatThrownBy(() -> engine.sandbox("kept"))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("is taken by " + sandbox);
  }

  @Test
  void learnsOfExitsThatHappenedMeanwhile() throws Exception {
    String sandbox = engine.sandbox("exits");
    Path flag = engine.root.resolve("flag");
    String id =
        engine.run(
            sandbox,
            Specs.withMounts(
                TestEngine.shell("c", "while ! test -e /root/flag; do sleep 0.01; done; exit 42"),
                MountSpec.of("/root", engine.root.toString(), true)));
    restart(
        () -> {
          Files.createFile(flag);
          await()
              .atMost(Duration.ofSeconds(20))
              .until(() -> Files.exists(engine.state.resolve("exits").resolve(id)));
        });
    ContainerStatus status = engine.runtime().container(id);
    assertThat(status.state()).isEqualTo(ContainerState.EXITED);
    assertThat(status.exitCode()).isEqualTo(42);
  }

  @Test
  void killsContainersWhoseMonitorIsLost() throws Exception {
    String sandbox = engine.sandbox("lost");
    String first = engine.run(sandbox, TestEngine.command("a", List.of("sleep", "1000")));
    killMonitor(engine.runtime().container(first).pid());
    ContainerStatus lost = engine.awaitExit(first);
    assertThat(lost.exitCode()).isEqualTo(255);
    assertThat(lost.reason()).isEqualTo("MonitorLost");
    String second = engine.run(sandbox, TestEngine.command("b", List.of("sleep", "1000")));
    int pid = engine.runtime().container(second).pid();
    restart(() -> killMonitor(pid));
    ContainerStatus alsoLost = engine.awaitExit(second);
    assertThat(alsoLost.reason()).isEqualTo("MonitorLost");
    assertThat(engine.runtime().container(first).reason()).isEqualTo("MonitorLost");
  }

  private static void killMonitor(int container) throws Exception {
    String status = Files.readString(Path.of("/proc/" + container + "/status"));
    String parent =
        status
            .lines()
            .filter(l -> l.startsWith("PPid:"))
            .findFirst()
            .orElseThrow()
            .substring(5)
            .strip();
    assertThat(isJoiner(Long.parseLong(parent))).isTrue();
    assertThat(new ProcessBuilder("kill", "-9", parent).start().waitFor()).isZero();
  }

  @Test
  void seesThatThePauseIsGone() throws Exception {
    String sandbox = engine.sandbox("gone");
    String id = engine.run(sandbox, TestEngine.command("a", List.of("sleep", "1000")));
    int pause = engine.runtime().sandbox(sandbox).pid();
    restart(() -> new ProcessBuilder("kill", "-9", Integer.toString(pause)).start().waitFor());
    assertThat(engine.runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.NOT_READY);
    assertThat(engine.awaitExit(id).exitCode()).isEqualTo(137);
  }

  @Test
  void removesWhatWasHalfMade() throws Exception {
    String sandbox = engine.sandbox("half");
    String id = engine.run(sandbox, TestEngine.command("a", List.of("sleep", "1000")));
    Path sandboxFile = engine.state.resolve("sandboxes").resolve(sandbox + ".json");
    restart(() -> replace(sandboxFile, "\"MADE\"", "\"CREATING\""));
    assertThat(engine.runtime().sandboxes()).isEmpty();
    assertThat(engine.runtime().containers()).isEmpty();
    assertThat(Path.of("/sys/fs/cgroup/memory" + TestEngine.CGROUP + "/" + sandbox)).doesNotExist();
    assertThat(engine.state.resolve("exits").resolve(id)).doesNotExist();
    engine.sandbox("half");
  }

  @Test
  void forgetsAnotherBoot() throws Exception {
    String sandbox = engine.sandbox("boot");
    String id = engine.run(sandbox, TestEngine.shell("a", "exit 0"));
    engine.awaitExit(id);
    engine.runtime().stopSandbox(sandbox);
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    restart(
        () -> {
          String other = "00000000-0000-0000-0000-000000000000";
          replace(engine.state.resolve("sandboxes").resolve(sandbox + ".json"), boot, other);
          replace(engine.state.resolve("containers").resolve(id + ".json"), boot, other);
        });
    assertThat(engine.runtime().sandboxes()).isEmpty();
    assertThat(engine.runtime().containers()).isEmpty();
  }

  @Test
  void setsTornFilesAside() throws Exception {
    String sandbox = engine.sandbox("torn");
    restart(
        () -> {
          Files.writeString(engine.state.resolve("sandboxes/torn.json"), "{\"version\":1,");
          Files.writeString(engine.state.resolve("containers/foreign.json"), "{\"version\":9}");
        });
    assertThat(engine.runtime().sandbox(sandbox).state()).isEqualTo(SandboxState.READY);
    Path aside = engine.state.resolve("set-aside");
    try (Stream<Path> files = Files.list(aside)) {
      assertThat(files.map(f -> f.getFileName().toString().replaceAll("-[0-9]+$", "")))
          .containsExactlyInAnyOrder("sandboxes-torn.json", "containers-foreign.json");
    }
    Leftovers.deleteTree(aside);
  }

  @Test
  void removesPodsWhoseStateIsTorn() throws Exception {
    String sandbox = engine.sandbox("unknown");
    String id = engine.run(sandbox, TestEngine.command("a", List.of("sleep", "1000")));
    restart(() -> Files.writeString(engine.state.resolve("sandboxes/" + sandbox + ".json"), "{"));
    assertThat(engine.runtime().sandboxes()).isEmpty();
    assertThat(engine.runtime().containers()).isEmpty();
    assertThat(engine.state.resolve("containers/" + id + ".json")).doesNotExist();
    Leftovers.deleteTree(engine.state.resolve("set-aside"));
  }

  private static void replace(Path file, String what, String by) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(what);
    Files.writeString(file, text.replace(what, by));
  }

  @Test
  void outlivesItsSpawner() throws Exception {
    String sandbox = engine.sandbox("spawner");
    String before = engine.run(sandbox, TestEngine.command("a", List.of("sleep", "1000")));
    int spawner = spawner();
    assertThat(new ProcessBuilder("kill", "-9", Integer.toString(spawner)).start().waitFor())
        .isZero();
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () -> {
              String id =
                  engine.runtime().createContainer(sandbox, TestEngine.shell("b", "exit 4"));
              try {
                engine.runtime().startContainer(id);
                assertThat(engine.awaitExit(id).exitCode()).isEqualTo(4);
              } finally {
                engine.runtime().removeContainer(id);
              }
            });
    assertThat(engine.runtime().container(before).state()).isEqualTo(ContainerState.RUNNING);
    engine.runtime().stopContainer(before, Duration.ZERO);
    assertThat(engine.runtime().container(before).exitCode()).isEqualTo(137);
    assertThat(spawner()).isNotEqualTo(spawner);
  }

  private static int spawner() {
    return (int)
        ProcessHandle.current()
            .children()
            .filter(p -> isJoiner(p.pid()))
            .findFirst()
            .orElseThrow()
            .pid();
  }

  private static boolean isJoiner(long pid) {
    try {
      Path program = Files.readSymbolicLink(Path.of("/proc/" + pid + "/exe"));
      return program.toString().startsWith("/memfd:joiner");
    } catch (IOException e) {
      return false;
    }
  }
}
