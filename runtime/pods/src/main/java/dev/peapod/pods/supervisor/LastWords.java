package dev.peapod.pods.supervisor;

import dev.peapod.pods.log.LogLine;
import dev.peapod.pods.log.LogReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// The end of a log as a termination message: at most 80 lines and 2,048 bytes, as kubelet takes.
final class LastWords {
  private static final int LINES = 80;
  private static final int MOST = 2048;

  private LastWords() {}

  static String of(Path log) {
    StringBuilder text = new StringBuilder();
    try {
      new LogReader(log).read(LINES, 0, () -> false, line -> append(text, line));
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
    return text.length() > MOST ? text.substring(text.length() - MOST) : text.toString();
  }

  private static void append(StringBuilder text, LogLine line) {
    text.append(new String(line.text(), StandardCharsets.UTF_8)).append('\n');
    if (text.length() > 4 * MOST) {
      text.delete(0, text.length() - MOST);
    }
  }
}
