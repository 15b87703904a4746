package dev.peapod.engine.security;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a seccomp profile may ask about the machine.
///
/// @param architecture as Go calls it, such as `amd64`
/// @param kernel such as `6.1.0-18-amd64`
record Machine(String architecture, String kernel) {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

  /// This one.
  static Machine present() {
    String architecture =
        switch (System.getProperty("os.arch")) {
          case "aarch64" -> "arm64";
          case String other -> other;
        };
    return new Machine(architecture, System.getProperty("os.version"));
  }

  /// As profiles call the architecture elsewhere, such as `SCMP_ARCH_X86_64`.
  String token() {
    return switch (architecture) {
      case "amd64" -> "SCMP_ARCH_X86_64";
      case "arm64" -> "SCMP_ARCH_AARCH64";
      default -> "SCMP_ARCH_" + architecture.toUpperCase(java.util.Locale.ROOT);
    };
  }

  /// Whether the kernel is of this version, `major.minor`, or newer.
  boolean isAtLeast(String version) {
    Matcher wanted = VERSION.matcher(version);
    Matcher present = VERSION.matcher(kernel);
    if (!wanted.matches() || !present.matches()) {
      return false;
    }
    int major = Integer.compare(number(present, 1), number(wanted, 1));
    return major > 0 || (major == 0 && number(present, 2) >= number(wanted, 2));
  }

  private static int number(Matcher version, int group) {
    return Integer.parseInt(version.group(group));
  }
}
