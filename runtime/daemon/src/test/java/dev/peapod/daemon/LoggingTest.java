package dev.peapod.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoggingTest {
  @Test
  void aLineHasTimeLevelSourceAndMessage() {
    assertThat(new Logging.Lines(false).format(record("took {0} ms", 12)))
        .isEqualTo("2026-01-02T03:04:05.678Z WARN  engine: took 12 ms\n");
  }

  @Test
  void theJournalGetsThePriorityInstead() {
    assertThat(new Logging.Lines(true).format(record("took {0} ms", 12)))
        .isEqualTo("<4>engine: took 12 ms\n");
  }

  @Test
  void whatIsLoggedCanNotForgeALine() {
    assertThat(new Logging.Lines(true).format(record("image {0}", "x\n<0>kernel: panic\u001b[2J")))
        .isEqualTo("<4>engine: image x <0>kernel: panic [2J\n");
  }

  @Test
  void everyLineOfAStackTraceHasThePriority() {
    LogRecord record = record("broke");
    record.setThrown(new IllegalStateException("why"));
    assertThat(new Logging.Lines(true).format(record).lines())
        .hasSizeGreaterThan(2)
        .allMatch(line -> line.startsWith("<4>"))
        .anyMatch(line -> line.contains("IllegalStateException: why"));
  }

  @Test
  void theJournalIsKnownByDeviceAndInode(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("stderr"));
    Map<String, Object> id = Files.readAttributes(file, "unix:dev,ino");
    String stream = id.get("dev") + ":" + id.get("ino");
    assertThat(Logging.journal(Map.of("JOURNAL_STREAM", stream), file)).isTrue();
    assertThat(Logging.journal(Map.of("JOURNAL_STREAM", stream + "1"), file)).isFalse();
    assertThat(Logging.journal(Map.of(), file)).isFalse();
  }

  private static LogRecord record(String message, Object... parameters) {
    LogRecord record = new LogRecord(Level.WARNING, message);
    record.setLoggerName("dev.peapod.engine.launch.Plans");
    record.setParameters(parameters);
    record.setInstant(Instant.parse("2026-01-02T03:04:05.678Z"));
    return record;
  }
}
