package dev.peapod.engine.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureTextTest {
  private static FailureText.Failure failure(Operation operation, int errno) {
    PlanKind kind = operation instanceof Operation.Listen ? PlanKind.HOLDER : PlanKind.CONTAINER;
    LaunchPlan plan = LaunchPlan.of(kind).add(operation).build();
    return FailureText.of("container \"web\"", new LaunchException(plan, 0, errno, 0));
  }

  @Test
  void tellsWhyACommandIsNotExecuted() {
    Operation exec = new Operation.Exec(List.of("/bin/foo", "-x"), List.of());
    FailureText.Failure missing = failure(exec, Errno.ENOENT);
    assertThat(missing.sentence())
        .isEqualTo("container \"web\": command \"/bin/foo\" not found in the image");
    assertThat(missing.exitCode()).isEqualTo(127);
    assertThat(missing.kind()).isEqualTo(Kind.INVALID);
    FailureText.Failure plain = failure(exec, Errno.EACCES);
    assertThat(plain.sentence())
        .isEqualTo("container \"web\": command \"/bin/foo\" is not executable");
    assertThat(plain.exitCode()).isEqualTo(126);
  }

  @Test
  void namesATakenPort() {
    Operation listen = new Operation.Listen(4, 6, new byte[4], 8080, new byte[] {10, 0, 0, 1}, 80);
    FailureText.Failure taken = failure(listen, Errno.EADDRINUSE);
    assertThat(taken.sentence()).isEqualTo("host port 8080/TCP is already in use on this machine");
    assertThat(taken.kind()).isEqualTo(Kind.FAILED_PRECONDITION);
  }

  @Test
  void namesTheHostPathOfAMount() {
    Operation open = new Operation.OpenTree(Stage.HOST, 0, Operation.PRESENT_ROOT, "/x", true);
    assertThat(failure(open, Errno.ENOENT).sentence())
        .isEqualTo("container \"web\": host path \"/x\" of a mount does not exist");
  }

  @Test
  void hasASentenceForFailuresWithoutAnOperation() {
    LaunchPlan plan = LaunchPlan.of(PlanKind.CONTAINER).add(new Operation.Pivot()).build();
    assertThat(FailureText.of("x", new LaunchException(plan, -1, Errno.EIO, 0)).sentence())
        .isEqualTo("x: its process was killed before it ran its program");
    assertThat(FailureText.of("x", new LaunchException(plan, 9, Errno.ENOMEM, 0)).exitCode())
        .isEqualTo(128);
  }
}
