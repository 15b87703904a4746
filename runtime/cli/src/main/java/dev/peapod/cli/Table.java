package dev.peapod.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Rows with columns as wide as needed; on a terminal no line is longer than it is wide.
final class Table {
  private static final int GAP = 3;

  /// No terminal is narrower, mostly; what fits there is not asked about.
  private static final int NARROW = 80;

  /// What a column keeps at least where all are too wide.
  private static final int LEAST = 8;

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
    if (total(widths) > NARROW && Screen.outIsTerminal()) {
      narrow(widths, Screen.width(1));
    }
    for (int i = title ? 0 : 1; i < rows.size(); i++) {
      System.out.println(line(rows.get(i), widths, colours && i > 0));
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

  private static int total(int[] widths) {
    return IntStream.of(widths).sum() + GAP * (widths.length - 1);
  }

  /// Takes from the widest column, of several the last one, until all of them fit.
  static void narrow(int[] widths, int most) {
    while (total(widths) > most) {
      int widest = widths.length - 1;
      for (int i = widest; i >= 0; i--) {
        widest = widths[i] > widths[widest] ? i : widest;
      }
      if (widths[widest] <= LEAST) {
        return;
      }
      widths[widest]--;
    }
  }

  private String line(List<String> row, int[] widths, boolean colours) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      boolean last = i == widths.length - 1;
      String cell = shortened(row.get(i), widths[i], last);
      line.append(colours && rows.getFirst().get(i).equals("STATUS") ? coloured(cell) : cell);
      if (!last) {
        line.repeat(" ", widths[i] - cell.length() + GAP);
      }
    }
    return line.toString().stripTrailing();
  }

  /// Names differ at their ends too, so they lose what is in the middle.
  static String shortened(String cell, int width, boolean last) {
    if (cell.length() <= width) {
      return cell;
    }
    int end = last ? 0 : (width - 1) / 2;
    return cell.substring(0, width - 1 - end) + "…" + cell.substring(cell.length() - end);
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
