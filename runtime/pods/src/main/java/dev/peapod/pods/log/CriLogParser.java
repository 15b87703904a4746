package dev.peapod.pods.log;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.function.Consumer;

/// Turns bytes of a CRI log (`2026-01-02T03:04:05.123456789Z stdout F text`) into lines. Parts
/// tagged `P` are joined, up to a bound; what is no CRI record is passed on as it stands. Fed in
/// pieces of any size. For one thread.
public final class CriLogParser {
  /// A joined line is handed on in pieces of at most about this many bytes.
  static final int MAX_LINE = 256 << 10;

  private final Consumer<LogLine> lines;
  private final ByteArrayOutputStream record = new ByteArrayOutputStream();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long outTime;
  private long errTime;
  private long lastTime;

  public CriLogParser(Consumer<LogLine> lines) {
    this.lines = lines;
  }

  /// Takes the next bytes of the file.
  public void feed(byte[] bytes, int offset, int length) {
    int start = offset;
    int end = offset + length;
    for (int i = offset; i < end; i++) {
      if (bytes[i] == '\n') {
        record.write(bytes, start, i - start);
        record(record.toByteArray());
        record.reset();
        start = i + 1;
      }
    }
    record.write(bytes, start, end - start);
    if (record.size() > MAX_LINE) {
      record(record.toByteArray());
      record.reset();
    }
  }

  /// Hands on what is unfinished: the file has ended for good.
  public void finish() {
    if (record.size() > 0) {
      record(record.toByteArray());
      record.reset();
    }
    flush(out, outTime, false, false);
    flush(err, errTime, true, false);
  }

  /// Hands on the beginnings of lines whose end is not there yet; the rest comes from another
  /// parser.
  void flushParts() {
    flush(out, outTime, false, true);
    flush(err, errTime, true, true);
  }

  private void record(byte[] bytes) {
    int first = indexOf(bytes, 0);
    int second = first < 0 ? -1 : indexOf(bytes, first + 1);
    if (second < 0) {
      foreign(bytes);
      return;
    }
    String stream = new String(bytes, first + 1, second - first - 1, StandardCharsets.US_ASCII);
    boolean stderr = stream.equals("stderr");
    if (!stderr && !stream.equals("stdout")) {
      foreign(bytes);
      return;
    }
    long time;
    try {
      time = nanos(new String(bytes, 0, first, StandardCharsets.US_ASCII));
    } catch (DateTimeParseException | ArithmeticException e) {
      foreign(bytes);
      return;
    }
    int third = indexOf(bytes, second + 1);
    int tagEnd = third < 0 ? bytes.length : third;
    // Tags are separated by colons; the first says whether the line is whole.
    boolean partial = tagEnd > second + 1 && bytes[second + 1] == 'P';
    ByteArrayOutputStream line = stderr ? err : out;
    if (third >= 0) {
      line.write(bytes, third + 1, bytes.length - third - 1);
    }
    lastTime = time;
    if (stderr) {
      errTime = time;
    } else {
      outTime = time;
    }
    if (!partial) {
      lines.accept(new LogLine(time, stderr, line.toByteArray(), false));
      line.reset();
    } else if (line.size() >= MAX_LINE) {
      flush(line, time, stderr, true);
    }
  }

  private void flush(ByteArrayOutputStream line, long time, boolean stderr, boolean partial) {
    if (line.size() > 0) {
      lines.accept(new LogLine(time, stderr, line.toByteArray(), partial));
      line.reset();
    }
  }

  private void foreign(byte[] bytes) {
    lines.accept(new LogLine(lastTime, false, bytes, false));
  }

  private static int indexOf(byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == ' ') {
        return i;
      }
    }
    return -1;
  }

  static long nanos(String time) {
    Instant instant =
        time.endsWith("Z") ? Instant.parse(time) : OffsetDateTime.parse(time).toInstant();
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
  }
}
