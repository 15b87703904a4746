package dev.peapod.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Rows with columns as wide as needed; on a terminal no line is longer than it is wide.
final class Table {
  private static final int GAP = 3;

  private final List<List<String>> rows = new ArrayList<>();
  private final int[] least;

  Table(String... titles) {
    rows.add(List.of(titles));
    least = new int[titles.length];
  }

  Table row(List<String> cells) {
    rows.add(cells.stream().map(Texts::clean).toList());
    return this;
  }

  /// Lays this table out at least as wide as another one.
  Table alignedWith(Table other) {
    int[] others = other.widths();
    for (int i = 0; i < others.length; i++) {
      least[i] = Math.max(least[i], others[i]);
    }
    return this;
  }

  boolean isEmpty() {
    return rows.size() == 1;
  }

  /// Prints the rows, with or without the title line.
  void print(boolean title, boolean colours) {
    int[] widths = widths();
    int most = Integer.MAX_VALUE;
    int total = 0;
    for (int width : widths) {
      total += width + GAP;
    }
    if (total > 80 && Screen.outIsTerminal()) {
      most = Screen.width(1);
    }
    for (int i = title ? 0 : 1; i < rows.size(); i++) {
      System.out.println(line(rows.get(i), widths, most, colours && i > 0));
    }
  }

  private int[] widths() {
    int[] widths = least.clone();
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }

  private String line(List<String> row, int[] widths, int most, boolean colours) {
    StringBuilder line = new StringBuilder();
    int used = 0;
    for (int i = 0; i < widths.length; i++) {
      boolean last = i == widths.length - 1;
      String cell = row.get(i);
      if (last && used + cell.length() > most) {
        cell = cell.substring(0, Math.max(0, most - used - 1)) + "…";
      }
      line.append(colours && rows.getFirst().get(i).equals("STATUS") ? coloured(cell) : cell);
      used += cell.length();
      if (!last) {
        int pad = widths[i] - cell.length() + GAP;
        line.repeat(" ", pad);
        used += pad;
      }
    }
    return line.toString().stripTrailing();
  }

  private static String coloured(String status) {
    String low = status.toLowerCase(Locale.ROOT);
    String colour =
        switch (status) {
          case "Running", "Completed", "Succeeded" -> "32";
          default ->
              low.contains("err")
                      || low.contains("backoff")
                      || low.contains("fail")
                      || low.contains("kill")
                  ? "31"
                  : "33";
        };
    return "\u001b[" + colour + "m" + status + "\u001b[0m";
  }
}
