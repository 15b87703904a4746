package dev.peapod.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class StateStoreTest {
  record Thing(String id, String state) {}

  @TempDir private Path directory;
  private Path states;
  private Path aside;

  @BeforeEach
  void make() throws IOException {
    states = Files.createDirectory(directory.resolve("states"));
    aside = directory.resolve("aside");
  }

  private StateStore<Thing> store() {
    return new StateStore<>(states, aside, Thing.class, Thing::id);
  }

  private Path file(String id) {
    return states.resolve(id + ".json");
  }

  @Test
  void theLastStateCounts() throws IOException {
    StateStore<Thing> store = store();
    store.save(new Thing("a", "made"));
    store.save(new Thing("a", "two\nlines"));
    store.save(new Thing("b", "made"));
    assertThat(store().load())
        .containsExactlyInAnyOrder(new Thing("a", "two\nlines"), new Thing("b", "made"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file("a"))))
        .isEqualTo("rw-------");
  }

  @Test
  void anUnfinishedStateDoesNotCountAndSpoilsNoLaterOne() throws IOException {
    store().save(new Thing("a", "made"));
    Files.writeString(file("a"), "{\"id\":\"a\",\"st", StandardOpenOption.APPEND);
    StateStore<Thing> next = store();
    assertThat(next.load()).containsExactly(new Thing("a", "made"));
    next.save(new Thing("a", "later"));
    assertThat(store().load()).containsExactly(new Thing("a", "later"));
  }

  @Test
  void aFileDoesNotGrowWithoutEnd() throws IOException {
    StateStore<Thing> store = store();
    for (int i = 0; i < 200; i++) {
      store.save(new Thing("a", i + "x".repeat(10_000)));
    }
    assertThat(Files.size(file("a"))).isLessThanOrEqualTo(256 << 10);
    assertThat(store().load().getFirst().state()).startsWith("199x");
  }

  @Test
  void whatIsRemovedCanComeAgain() {
    StateStore<Thing> store = store();
    store.save(new Thing("a", "made"));
    store.delete("a");
    store.delete("a");
    assertThat(store.load()).isEmpty();
    store.save(new Thing("a", "again"));
    assertThat(store().load()).containsExactly(new Thing("a", "again"));
  }

  @Test
  void whatCanNotBeReadIsSetAside() throws IOException {
    Files.writeString(file("torn"), "{\"id\":");
    Files.writeString(file("empty"), "");
    Files.writeString(file("other"), "{\"id\":\"a\",\"state\":\"made\"}\n");
    Files.writeString(states.resolve(".temporary"), "{");
    assertThat(store().load()).isEmpty();
    try (Stream<Path> files = Files.list(aside)) {
      assertThat(files).hasSize(3);
    }
    assertThat(states).isEmptyDirectory();
  }
}
