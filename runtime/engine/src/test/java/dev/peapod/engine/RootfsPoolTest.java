package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Root filesystems that are made ahead of their containers. At the end nothing of them may be left on the machine.
@SuppressWarnings("NullAway.Init")
class RootfsPoolTest {
  private static final int SIZE = 2;

  private TestEngine engine;
  private String sandbox;

  @BeforeEach
  void start() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assumeTrue(TestImage.canBeMade(), "needs busybox in /bin");
    engine = new TestEngine(SIZE);
    sandbox = engine.sandbox("pod");
  }

  @AfterEach
  void end() throws IOException {
    if (engine != null) {
      engine.close();
    }
  }

  /// The writable layers that no container has.
  private Set<String> spares() {
    try (Stream<Path> directories = Files.list(engine.root.resolve("containers"))) {
      Set<String> ids =
          directories.map(d -> d.getFileName().toString()).collect(Collectors.toCollection(HashSet::new));
      engine.runtime().containers().forEach(container -> ids.remove(container.id()));
      return ids;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// They are there for use a moment after their mounts have made what overlay filesystems need.
  private Set<String> awaitSpares() {
    await()
        .during(Duration.ofMillis(300))
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              assertThat(spares()).hasSize(SIZE);
              for (String id : spares()) {
                assertThat(engine.root.resolve("containers").resolve(id).resolve("work/work"))
                    .isDirectory();
              }
            });
    return spares();
  }

  @Test
  void theNextContainerHasOneOfThem() throws IOException {
    assertThat(spares()).as("before the first container").isEmpty();
    engine.run(sandbox, TestEngine.shell("first", "echo one > /file; sleep 1000"));
    Set<String> ready = awaitSpares();
    String second = engine.run(sandbox, TestEngine.shell("second", "ls -a /; echo two > /file"));
    assertThat(ready).contains(second);
    engine.awaitExit(second);
    assertThat(engine.log(second)).contains("bin").doesNotContain("file");
    assertThat(engine.root.resolve("containers").resolve(second).resolve("upper/file")).hasContent("two");
    assertThat(awaitSpares()).doesNotContain(second);
  }

  @Test
  void oneIsLostWithAContainerThatCanNotBeMade() {
    engine.run(sandbox, TestEngine.shell("first", "sleep 1000"));
    Set<String> ready = awaitSpares();
    assertThatThrownBy(() -> engine.run(sandbox, TestEngine.shell("first", "true")))
        .isInstanceOf(PeapodException.class);
    assertThat(spares()).isSubsetOf(ready).hasSize(SIZE - 1);
  }

  @Test
  void whatIsLeftOfADaemonIsRemovedByTheNext() throws IOException {
    engine.run(sandbox, TestEngine.shell("first", "sleep 1000"));
    awaitSpares();
    engine.shutDown();
    Path left = engine.root.resolve("containers/0123456789abcdef");
    Files.createDirectories(left.resolve("upper"));
    engine.startAgain();
    assertThat(left).doesNotExist();
    assertThat(engine.runtime().containers()).hasSize(1);
  }
}
