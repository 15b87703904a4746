package dev.peapod.engine.container;

import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/// Signals by name or number (signal(7)), as images name them.
public final class SignalNames {
  static final int TERM = 15;
  static final int KILL = 9;

  private static final int RTMIN = 34;
  private static final int RTMAX = 64;
  private static final Map<String, Integer> NUMBERS =
      Map.ofEntries(
          Map.entry("HUP", 1),
          Map.entry("INT", 2),
          Map.entry("QUIT", 3),
          Map.entry("ILL", 4),
          Map.entry("TRAP", 5),
          Map.entry("ABRT", 6),
          Map.entry("IOT", 6),
          Map.entry("BUS", 7),
          Map.entry("FPE", 8),
          Map.entry("KILL", 9),
          Map.entry("USR1", 10),
          Map.entry("SEGV", 11),
          Map.entry("USR2", 12),
          Map.entry("PIPE", 13),
          Map.entry("ALRM", 14),
          Map.entry("TERM", 15),
          Map.entry("STKFLT", 16),
          Map.entry("CHLD", 17),
          Map.entry("CLD", 17),
          Map.entry("CONT", 18),
          Map.entry("STOP", 19),
          Map.entry("TSTP", 20),
          Map.entry("TTIN", 21),
          Map.entry("TTOU", 22),
          Map.entry("URG", 23),
          Map.entry("XCPU", 24),
          Map.entry("XFSZ", 25),
          Map.entry("VTALRM", 26),
          Map.entry("PROF", 27),
          Map.entry("WINCH", 28),
          Map.entry("IO", 29),
          Map.entry("POLL", 29),
          Map.entry("PWR", 30),
          Map.entry("SYS", 31),
          Map.entry("RTMIN", RTMIN),
          Map.entry("RTMAX", RTMAX));

  private SignalNames() {}

  /// `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`; empty if it is none of these.
  public static OptionalInt parse(String text) {
    String name = text.trim().toUpperCase(Locale.ROOT);
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    }
    if (NUMBERS.containsKey(name)) {
      return OptionalInt.of(NUMBERS.get(name));
    }
    try {
      int number =
          name.startsWith("RTMIN+")
              ? RTMIN + Integer.parseInt(name.substring(6))
              : name.startsWith("RTMAX-")
                  ? RTMAX - Integer.parseInt(name.substring(6))
                  : Integer.parseInt(name);
      return number > 0 && number <= RTMAX ? OptionalInt.of(number) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }
}
