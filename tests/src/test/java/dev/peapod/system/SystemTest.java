package dev.peapod.system;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jspecify.annotations.Nullable;

/// One daemon for the tests of a class. After each test nothing of its pods may be left, and after the last one nothing
/// of the daemon either.
@TestInstance(Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class SystemTest {
  /// The daemon, started, with the busybox image loaded for applied pods.
  protected Peapod peapod;

  private MachineSnapshot fresh;
  private @Nullable MachineSnapshot idle;

  @BeforeAll
  final void startDaemon() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "system tests need root");
    Fixtures.busybox();
    fresh = MachineTest.machine();
    peapod = new Peapod(flags());
    peapod.start();
    peapod.load(Fixtures.busybox());
    warmUp();
  }

  /// The bridge and the table of the default network come with a daemon's first pod and stay until it ends.
  protected final void warmUp() {
    peapod.submit(Manifests.sleeper("warm-up"));
    peapod.awaitReady("warm-up");
    peapod.withdraw("warm-up");
  }

  /// More flags for the daemon.
  protected String[] flags() {
    return new String[0];
  }

  /// What a test has left as it was need not be looked at again: that takes long where everything is emulated.
  @BeforeEach
  final void remember() {
    if (idle == null) {
      idle = machineAndState();
    }
  }

  /// Where a test has failed, what it left says nothing more.
  @RegisterExtension
  final AfterEachCallback nothingIsLeftOfThePods =
      context -> {
        MachineSnapshot before = idle;
        idle = null;
        try {
          if (context.getExecutionException().isEmpty() && before != null) {
            before.awaitSame(this::machineAndState, peapod::log);
            idle = before;
          }
        } finally {
          // What a failed test left must not fail the next ones.
          peapod.removeAll();
        }
      };

  @AfterAll
  final void nothingIsLeftOfTheDaemon() {
    if (peapod == null) {
      return;
    }
    String log = peapod.log();
    peapod.close();
    fresh.awaitSame(MachineTest::machine, () -> log);
  }

  private MachineSnapshot machineAndState() {
    return MachineSnapshot.take(
        List.of(peapod.state(), peapod.root()), path -> path.startsWith(peapod.root().resolve("images")));
  }
}
