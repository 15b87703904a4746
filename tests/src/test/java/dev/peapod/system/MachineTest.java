package dev.peapod.system;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Tests that start and end daemons themselves. After each of them the machine is as it was before it.
@SuppressWarnings("NullAway.Init")
abstract class MachineTest {
  private MachineSnapshot fresh;

  @BeforeEach
  final void rememberTheMachine() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "system tests need root");
    Fixtures.busybox();
    fresh = machine();
  }

  @AfterEach
  final void theMachineIsAsItWas() {
    fresh.awaitSame(MachineTest::machine, () -> "");
  }

  static MachineSnapshot machine() {
    return MachineSnapshot.take(List.of(), path -> false);
  }
}
