package dev.peapod.pods.status;

import dev.peapod.pods.supervisor.EventLog;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What happened to something, at the end of its description.
public final class EventTable {
  private EventTable() {}

  /// Writes the events, the oldest first, as `kubectl describe` does.
  public static void write(StringBuilder out, List<EventLog.Event> events, Instant now) {
    if (events.isEmpty()) {
      out.append("Events: <none>\n");
      return;
    }
    out.append("Events:\n");
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("Type", "Reason", "Age", "From", "Message"));
    for (EventLog.Event event : events) {
      String age = age(Duration.between(event.last(), now));
      if (event.count() > 1) {
        age += " (x" + event.count() + " over " + age(Duration.between(event.first(), now)) + ")";
      }
      rows.add(
          List.of(
              event.warning() ? "Warning" : "Normal",
              event.reason(),
              age,
              from(event),
              clean(event.message())));
    }
    aligned(out, rows);
  }

  private static String from(EventLog.Event event) {
    if (!event.container().isEmpty()) {
      return event.container();
    }
    return event.subject().kind().toLowerCase(Locale.ROOT)
        + (event.subject().kind().equals(EventLog.Subject.POD) ? "" : "-controller");
  }

  /// `5s`, `3m12s`, `4h5m`, `3d2h`.
  private static String age(Duration duration) {
    long s = Math.max(0, duration.toSeconds());
    if (s < 120) {
      return s + "s";
    }
    if (s < 3 * 3600) {
      return s < 600 && s % 60 != 0 ? s / 60 + "m" + s % 60 + "s" : s / 60 + "m";
    }
    if (s < 48 * 3600) {
      return s / 3600 + "h" + (s % 3600 / 60 == 0 ? "" : s % 3600 / 60 + "m");
    }
    return s / 86400 + "d" + (s % 86400 / 3600 == 0 ? "" : s % 86400 / 3600 + "h");
  }

  /// Writes rows of as many cells each, indented, with their columns aligned.
  static void aligned(StringBuilder out, List<List<String>> rows) {
    int columns = rows.getFirst().size();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder("  ");
      for (int i = 0; i < columns; i++) {
        int at = i;
        int width = rows.stream().mapToInt(r -> r.get(at).length()).max().orElse(0);
        line.append(row.get(i)).repeat(" ", i == columns - 1 ? 0 : width - row.get(i).length() + 2);
      }
      out.append(line.toString().stripTrailing()).append('\n');
    }
  }

  /// One line and nothing that moves a terminal's cursor.
  static String clean(String text) {
    StringBuilder result = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      result.append(c == '\n' ? ' ' : Character.isISOControl(c) ? '?' : c);
    }
    return result.toString().strip();
  }
}
