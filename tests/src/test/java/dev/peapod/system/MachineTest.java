package dev.peapod.system;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

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

  /// Where a test has failed, what it left says nothing more.
  @RegisterExtension
  final AfterEachCallback theMachineIsAsItWas =
      context -> {
        if (context.getExecutionException().isEmpty()) {
          fresh.awaitSame(MachineTest::machine, () -> "");
        }
      };

  static MachineSnapshot machine() {
    return MachineSnapshot.take(List.of(), path -> false);
  }
}
