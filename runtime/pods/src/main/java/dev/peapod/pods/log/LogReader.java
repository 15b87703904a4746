package dev.peapod.pods.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads one container's log file, from the beginning or its tail, and goes on with it as it grows.
/// A file that is rotated (renamed and made anew) or cut short is followed. Links are not followed:
/// whoever can write the log directory must not show other files. For one thread, which may block.
public final class LogReader {
  private static final int CHUNK = 64 << 10;
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(250);
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(10);

  private final Path file;

  public LogReader(Path file) {
    this.file = file;
  }

  /// Hands on the lines that the file has now.
  ///
  /// @param tail at most so many of the last lines; negative: all
  /// @param sinceNanos only lines from then on
  /// @param goOn asked again and again; false ends the reading at the file's end, so the first
  /// answer false means not to follow
  /// @throws NoSuchFileException if there is no such log
  public void read(long tail, long sinceNanos, BooleanSupplier goOn, Consumer<LogLine> lines)
      throws IOException, InterruptedException {
    SeekableByteChannel channel = open();
    try {
      Object key = key();
      Consumer<LogLine> wanted =
          line -> {
            if (line.timeNanos() >= sinceNanos) {
              lines.accept(line);
            }
          };
      long end = channel.size();
      if (tail >= 0) {
        tail(channel, end, tail, wanted);
      }
      CriLogParser parser = new CriLogParser(wanted);
      ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
      Duration pause = SHORTEST_PAUSE;
      while (true) {
        // Asked before the read: what was written while the container still ran is not missed.
        boolean more = goOn.getAsBoolean();
        if (drain(channel, buffer, parser)) {
          pause = SHORTEST_PAUSE;
        }
        Object nowKey = key();
        if (nowKey != null && !nowKey.equals(key)) {
          drain(channel, buffer, parser);
          channel.close();
          channel = open();
          key = nowKey;
          continue;
        }
        if (channel.size() < channel.position()) {
          channel.position(0);
          continue;
        }
        if (!more) {
          parser.finish();
          return;
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
      }
    } finally {
      channel.close();
    }
  }

  private SeekableByteChannel open() throws IOException {
    return Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
  }

  private @Nullable Object key() throws IOException {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException e) {
      // Between rename and creation.
      return null;
    }
  }

  private static boolean drain(SeekableByteChannel channel, ByteBuffer buffer, CriLogParser parser)
      throws IOException {
    boolean any = false;
    while (true) {
      buffer.clear();
      int n = channel.read(buffer);
      if (n <= 0) {
        return any;
      }
      any = true;
      parser.feed(buffer.array(), 0, n);
    }
  }

  /// Hands on the last `count` lines before `end` and leaves the channel at the end of what they
  /// were read from.
  private static void tail(
      SeekableByteChannel channel, long end, long count, Consumer<LogLine> lines)
      throws IOException {
    // Twice as far back until there are enough whole lines.
    long window = Math.max(CHUNK, count * 256);
    while (true) {
      long start = Math.max(0, end - window);
      channel.position(start);
      if (start > 0) {
        skipRecord(channel, end);
      }
      long from = channel.position();
      AtomicLong seen = new AtomicLong();
      parse(channel, from, end, line -> seen.addAndGet(line.partial() ? 0 : 1));
      if (start == 0 || seen.get() > count) {
        Deque<LogLine> last = new ArrayDeque<>();
        long skip = Math.max(0, seen.get() - count);
        AtomicLong index = new AtomicLong();
        parse(
            channel,
            from,
            end,
            line -> {
              if (index.get() >= skip) {
                last.add(line);
                if (last.size() >= 512) {
                  last.forEach(lines);
                  last.clear();
                }
              }
              if (!line.partial()) {
                index.incrementAndGet();
              }
            });
        last.forEach(lines);
        return;
      }
      window *= 4;
    }
  }

  /// Reads whole records of a part of the file; an unfinished one at its end is left to the reader
  /// that goes on from there.
  private static void parse(
      SeekableByteChannel channel, long from, long end, Consumer<LogLine> lines)
      throws IOException {
    channel.position(from);
    CriLogParser parser = new CriLogParser(lines);
    ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
    long whole = from;
    long at = from;
    while (at < end) {
      buffer.clear();
      buffer.limit((int) Math.min(buffer.capacity(), end - at));
      int n = channel.read(buffer);
      if (n <= 0) {
        break;
      }
      parser.feed(buffer.array(), 0, n);
      for (int i = n - 1; i >= 0; i--) {
        if (buffer.array()[i] == '\n') {
          whole = at + i + 1;
          break;
        }
      }
      at += n;
    }
    parser.flushParts();
    channel.position(whole);
  }

  private static void skipRecord(SeekableByteChannel channel, long end) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    long at = channel.position();
    while (at < end) {
      buffer.clear();
      int n = channel.read(buffer);
      if (n <= 0) {
        break;
      }
      for (int i = 0; i < n; i++) {
        if (buffer.array()[i] == '\n') {
          channel.position(at + i + 1);
          return;
        }
      }
      at += n;
    }
    channel.position(end);
  }
}
