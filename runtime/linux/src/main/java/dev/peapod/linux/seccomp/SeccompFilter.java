package dev.peapod.linux.seccomp;

import java.util.List;

/// A filter of system calls, described by names that hold on every architecture.
///
/// @param defaultAction for calls that no rule matches
/// @param architectures besides the machine's own, as libseccomp calls them, such as `x86`
public record SeccompFilter(
    SeccompAction defaultAction, List<String> architectures, List<Rule> rules) {
  public SeccompFilter {
    architectures = List.copyOf(architectures);
    rules = List.copyOf(rules);
  }

  /// What is done with a system call whose arguments compare like this.
  ///
  /// @param comparisons all must hold; at most one for each argument
  public record Rule(SeccompAction action, String syscall, List<Comparison> comparisons) {
    public Rule {
      comparisons = List.copyOf(comparisons);
    }
  }

  /// A comparison of an argument with a value, unsigned and 64 bits wide.
  ///
  /// @param argument 0 to 5
  /// @param value to compare with; the mask of [Operator#MASKED_EQ]
  /// @param second what the masked argument is compared with; else not used
  public record Comparison(int argument, Operator operator, long value, long second) {}

  /// How an argument is compared.
  public enum Operator {
    NE(1),
    LT(2),
    LE(3),
    EQ(4),
    GE(5),
    GT(6),
    MASKED_EQ(7);

    private final int code;

    Operator(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }
}
