package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ProcessesTest {
  private static final List<String> ENV = List.of("PATH=/usr/bin:/bin", "GREETING=hello");

  private static int waitFor(int pid) throws Exception {
    try (Pidfd process = Pidfd.open(pid).orElseThrow()) {
      await().until(() -> !process.isAlive());
      return process.reap().orElseThrow();
    }
  }

  private static String readAll(Fd fd) {
    return new String(FdIo.readAll(fd, 1 << 20), UTF_8);
  }

  @Test
  void aSpawnedProgramHasExactlyTheDescriptorsArgumentsAndEnvironmentGiven() throws Exception {
    var before = OpenDescriptors.now();
    try (Fd shell = Memfd.sealed("program", Path.of("/bin/bash"));
        Fd nothing = Fd.open("/dev/null", Open.RDWR);
        Pipes.Pipe out = Pipes.create();
        Pipes.Pipe five = Pipes.create()) {
      String script =
          "echo $0 $1 $GREETING;"
              + " for ((n = 0; n < 1000; n++)); do [ -e /proc/$$/fd/$n ] && echo $n; done;"
              + " echo five >&5; grep -E 'Sig(Blk|Ign)' /proc/$$/status";
      int pid =
          PosixSpawn.spawn(
              shell,
              List.of("bash", "-c", script, "name", "argument"),
              ENV,
              Map.of(0, nothing, 1, out.write(), 2, nothing, 5, five.write()));
      out.write().close();
      five.write().close();
      List<String> lines = readAll(out.read()).lines().toList();
      assertThat(waitFor(pid)).isZero();
      assertThat(lines)
          .containsExactly(
              "name argument hello",
              "0",
              "1",
              "2",
              "5",
              "SigBlk:\t0000000000000000",
              "SigIgn:\t0000000000000000");
      assertThat(readAll(five.read())).isEqualTo("five\n");
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void descriptorsMayTradePlaces() throws Exception {
    try (Pipes.Pipe a = Pipes.create();
        Pipes.Pipe b = Pipes.create()) {
      int x = a.write().number();
      int y = b.write().number();
      int pid =
          PosixSpawn.spawn(
              "/bin/bash",
              List.of("bash", "-c", "echo x >&" + x + "; echo y >&" + y),
              ENV,
              Map.of(x, b.write(), y, a.write()));
      a.write().close();
      b.write().close();
      assertThat(readAll(b.read())).isEqualTo("x\n");
      assertThat(readAll(a.read())).isEqualTo("y\n");
      assertThat(waitFor(pid)).isZero();
    }
  }

  @Test
  void aProgramThatIsMissingIsNamed() throws Exception {
    var before = OpenDescriptors.now();
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(() -> PosixSpawn.spawn("/no/program", List.of("p"), ENV, Map.of()))
        .withMessageContaining("/no/program")
        .matches(e -> e.errno() == Errno.ENOENT);
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void aPidfdSignalsTellsOfTheExitAndReapsOnce() throws Exception {
    var before = OpenDescriptors.now();
    int pid = PosixSpawn.spawn("/bin/sleep", List.of("sleep", "60"), ENV, Map.of());
    try (EventLoop loop = EventLoop.start("test-loop");
        Pidfd process = Pidfd.open(pid).orElseThrow()) {
      var exited = new CountDownLatch(1);
      try (var registration = process.onExit(loop, exited::countDown)) {
        assertThat(process.isAlive()).isTrue();
        assertThat(process.reap()).isEmpty();
        ProcessIdentity identity = ProcessIdentity.of(pid).orElseThrow();
        assertThat(identity.bootId()).isEqualTo(BootId.current()).hasSize(36);
        identity.open().orElseThrow().close();
        assertThat(new ProcessIdentity(pid, identity.startTime() + 1, identity.bootId()).open())
            .isEmpty();
        assertThat(new ProcessIdentity(pid, identity.startTime(), "another boot").open())
            .isEmpty();

        assertThat(process.signal(15)).isTrue();
        exited.await();
        assertThat(process.isAlive()).isFalse();
        assertThat(process.signal(0)).isTrue();
        assertThat(process.reap()).hasValue(128 + 15);
        assertThat(process.signal(0)).isFalse();
        assertThat(identity.open()).isEmpty();
        assertThat(ProcessIdentity.of(pid)).isEmpty();
        assertThat(Pidfd.open(pid)).isEmpty();
        assertThatExceptionOfType(KernelException.class)
            .isThrownBy(process::reap)
            .matches(e -> e.errno() == Errno.ECHILD);
      }
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void theExitStatusIsReaped() throws Exception {
    int pid = PosixSpawn.spawn("/bin/sh", List.of("sh", "-c", "exit 7"), ENV, Map.of());
    assertThat(waitFor(pid)).isEqualTo(7);
  }
}
