package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InotifyTest {
  @Test
  void tellsOfRenamesUntilTheWatchIsClosed(@TempDir Path directory) throws Exception {
    var before = OpenDescriptors.now();
    Path other = Files.createDirectory(directory.resolve("other"));
    try (EventLoop loop = EventLoop.start("test-loop");
        Inotify inotify = new Inotify(loop)) {
      var first = new CopyOnWriteArrayList<String>();
      var second = new CopyOnWriteArrayList<String>();
      var watch =
          inotify.watch(directory, Inotify.MOVED_TO, (events, name) -> first.add(events + name));
      inotify.watch(other, Inotify.CREATE, (events, name) -> second.add(events + name));
      Files.createFile(directory.resolve(".temp"));
      Files.move(directory.resolve(".temp"), directory.resolve("record"));
      await().until(() -> !first.isEmpty());
      assertThat(first).containsExactly(Inotify.MOVED_TO + "record");
      watch.close();
      Files.move(directory.resolve("record"), directory.resolve("again"));
      Files.createFile(other.resolve("new"));
      await().until(() -> !second.isEmpty());
      assertThat(second).containsExactly(Inotify.CREATE + "new");
      assertThat(first).hasSize(1);
      Files.delete(other.resolve("new"));
      Files.delete(other);
      await().until(() -> second.contains(Inotify.IGNORED + ""));
    }
    OpenDescriptors.assertNoneSince(before);
  }
}
