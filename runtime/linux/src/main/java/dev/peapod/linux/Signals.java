package dev.peapod.linux;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// Signals by name and number (signal(7)).
public final class Signals {
  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGKILL = 9;
  public static final int SIGTERM = 15;

  /// The first and last of the real-time signals that the C library leaves to programs.
  private static final int RTMIN = 34;

  private static final int RTMAX = 64;

  /// By number, from 1 on; the same on x86-64 and aarch64.
  private static final String[] NAMES = {
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"
  };

  private Signals() {}

  /// The number of a signal that is written `SIGTERM`, `TERM`, `term`, `15`, `SIGRTMIN+3` or
  /// `RTMAX-1`; empty if there is none such.
  public static OptionalInt number(String signal) {
    String name = signal.strip().toUpperCase(Locale.ROOT);
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    } else if (!name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return name.length() < 3 ? valid(Integer.parseInt(name)) : OptionalInt.empty();
    }
    for (int i = 1; i < NAMES.length; i++) {
      if (NAMES[i].equals(name)) {
        return OptionalInt.of(i);
      }
    }
    return switch (name) {
      case "IOT" -> OptionalInt.of(6);
      case "CLD" -> OptionalInt.of(17);
      case "POLL" -> OptionalInt.of(29);
      default -> realTime(name);
    };
  }

  private static OptionalInt realTime(String name) {
    int base;
    if (name.startsWith("RTMIN")) {
      base = RTMIN;
    } else if (name.startsWith("RTMAX")) {
      base = RTMAX;
    } else {
      return OptionalInt.empty();
    }
    String offset = name.substring(5);
    if (offset.isEmpty()) {
      return OptionalInt.of(base);
    }
    if (!offset.matches(base == RTMIN ? "\\+[0-9]{1,2}" : "-[0-9]{1,2}")) {
      return OptionalInt.empty();
    }
    int number = base + Integer.parseInt(offset);
    return number >= RTMIN && number <= RTMAX ? OptionalInt.of(number) : OptionalInt.empty();
  }

  private static OptionalInt valid(int number) {
    return number >= 1 && number <= RTMAX ? OptionalInt.of(number) : OptionalInt.empty();
  }

  /// The name of a signal, such as `SIGTERM` or `SIGRTMIN+3`; empty if there is none with this
  /// number.
  public static Optional<String> name(int number) {
    if (number >= 1 && number < NAMES.length) {
      return Optional.of("SIG" + NAMES[number]);
    }
    if (number >= RTMIN && number <= RTMAX) {
      return Optional.of(number == RTMIN ? "SIGRTMIN" : "SIGRTMIN+" + (number - RTMIN));
    }
    return Optional.empty();
  }
}
