package dev.peapod.pods.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LogReaderTest {
  @TempDir Path directory;

  private Path write(String name, String... records) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, String.join("", records));
    return file;
  }

  private static String record(int second, String stream, String tag, String text) {
    return String.format("2026-01-02T03:04:%02d.123456789Z %s %s %s\n", second, stream, tag, text);
  }

  private static List<String> read(Path file, long tail, long since) throws Exception {
    List<String> lines = new ArrayList<>();
    new LogReader(file).read(tail, since, () -> false, line -> lines.add(shown(line)));
    return lines;
  }

  private static String shown(LogLine line) {
    return (line.stderr() ? "err " : "out ")
        + new String(line.text(), StandardCharsets.UTF_8)
        + (line.partial() ? "+" : "");
  }

  @Test
  void readsBothStreams() throws Exception {
    Path file =
        write(
            "a",
            record(1, "stdout", "F", "one"),
            record(2, "stderr", "F", "two words"),
            record(3, "stdout", "F", ""));
    assertThat(read(file, -1, 0)).containsExactly("out one", "err two words", "out ");
  }

  @Test
  void joinsPartsOfEachStream() throws Exception {
    Path file =
        write(
            "a",
            record(1, "stdout", "P", "a"),
            record(2, "stderr", "F", "x"),
            record(3, "stdout", "P", "b"),
            record(4, "stdout", "F", "c"));
    assertThat(read(file, -1, 0)).containsExactly("err x", "out abc");
  }

  @Test
  void handsOnAnUnfinishedLineAtTheEnd() throws Exception {
    Path file = write("a", record(1, "stdout", "P", "a"));
    assertThat(read(file, -1, 0)).containsExactly("out a");
  }

  @Test
  void keepsMemoryBoundedOnEndlessLines() throws Exception {
    String part = "y".repeat(16384);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      text.append(record(1, "stdout", "P", part));
    }
    text.append(record(1, "stdout", "F", "end"));
    List<LogLine> lines = new ArrayList<>();
    new LogReader(write("a", text.toString())).read(-1, 0, () -> false, lines::add);
    assertThat(lines)
        .allSatisfy(line -> assertThat(line.text().length).isLessThanOrEqualTo(280 << 10));
    assertThat(lines.stream().mapToLong(line -> line.text().length).sum())
        .isEqualTo(100L * 16384 + 3);
    assertThat(lines.getLast().partial()).isFalse();
  }

  @Test
  void passesOnWhatIsNoRecord() throws Exception {
    Path file = write("a", "garbage\n", record(1, "stdout", "F", "ok"), "2026-99-99 stdout F x\n");
    assertThat(read(file, -1, 0))
        .containsExactly("out garbage", "out ok", "out 2026-99-99 stdout F x");
  }

  @Test
  void readsTheTail() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      text.append(record(i % 60, "stdout", "F", "line " + i + " " + "z".repeat(i % 200)));
    }
    Path file = write("a", text.toString());
    assertThat(read(file, 3, 0)).hasSize(3).first().asString().startsWith("out line 4997 ");
    assertThat(read(file, 0, 0)).isEmpty();
    assertThat(read(file, 4999, 0)).hasSize(4999).first().asString().startsWith("out line 1 ");
    assertThat(read(file, 9999, 0)).hasSize(5000);
  }

  @Test
  void countsJoinedLinesInTheTail() throws Exception {
    Path file =
        write(
            "a",
            record(1, "stdout", "F", "one"),
            record(2, "stdout", "P", "tw"),
            record(3, "stdout", "F", "o"),
            record(4, "stdout", "F", "three"));
    assertThat(read(file, 2, 0)).containsExactly("out two", "out three");
  }

  @Test
  void leavesOutWhatIsOlder() throws Exception {
    Path file = write("a", record(1, "stdout", "F", "old"), record(30, "stdout", "F", "new"));
    long since = CriLogParser.nanos("2026-01-02T03:04:30Z");
    assertThat(read(file, -1, since)).containsExactly("out new");
  }

  @Test
  void followsWhatIsWrittenAndARotation() throws Exception {
    Path file = write("a", record(1, "stdout", "F", "one"));
    List<String> lines = new CopyOnWriteArrayList<>();
    AtomicBoolean running = new AtomicBoolean(true);
    Thread reader =
        Thread.startVirtualThread(
            () -> {
              try {
                new LogReader(file).read(-1, 0, running::get, line -> lines.add(shown(line)));
              } catch (IOException | InterruptedException e) {
                lines.add("failed: " + e);
              }
            });
    await().until(() -> lines.size() == 1);
    Files.writeString(file, record(2, "stdout", "F", "two"), StandardOpenOption.APPEND);
    await().until(() -> lines.size() == 2);
    Files.writeString(file, record(3, "stdout", "F", "three"), StandardOpenOption.APPEND);
    Files.move(file, directory.resolve("a.1"));
    Files.writeString(file, record(4, "stdout", "F", "four"));
    await().until(() -> lines.size() == 4);
    Files.writeString(file, "");
    Files.writeString(file, record(5, "stdout", "P", "fi"), StandardOpenOption.APPEND);
    running.set(false);
    reader.join();
    assertThat(lines).containsExactly("out one", "out two", "out three", "out four", "out fi");
  }

  @Test
  void doesNotFollowLinks() throws Exception {
    Path secret = write("secret", record(1, "stdout", "F", "secret"));
    Path link = directory.resolve("link");
    Files.createSymbolicLink(link, secret);
    assertThatThrownBy(() -> read(link, -1, 0)).isInstanceOf(IOException.class);
  }

  @Test
  void saysThatThereIsNoLog() {
    assertThatThrownBy(() -> read(directory.resolve("none"), -1, 0))
        .isInstanceOf(NoSuchFileException.class);
  }
}
