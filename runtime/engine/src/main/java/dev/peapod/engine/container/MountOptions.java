package dev.peapod.engine.container;

import dev.peapod.engine.launch.MountAttributes;
import dev.peapod.error.PeapodException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The options that a mount may be given by name, as mount(8) calls them. None of them takes anything back: what the host
/// has forbidden stays forbidden.
final class MountOptions {
  private static final Map<String, Long> KNOWN =
      new TreeMap<>(
          Map.of(
              "nodev", MountAttributes.NODEV,
              "noexec", MountAttributes.NOEXEC,
              "nosuid", MountAttributes.NOSUID,
              "nosymfollow", MountAttributes.NOSYMFOLLOW,
              "noatime", MountAttributes.NOATIME,
              "nodiratime", MountAttributes.NODIRATIME));

  private MountOptions() {}

  /// @param field what the options are of, for the error
  /// @throws PeapodException INVALID naming the first one that is not known
  static void check(String field, List<String> options) {
    for (String option : options) {
      if (!KNOWN.containsKey(option)) {
        throw PeapodException.invalid(
            field
                + " \""
                + option
                + "\" is not supported; there are "
                + String.join(", ", KNOWN.keySet()));
      }
    }
  }

  /// The bits that mount_setattr(2) is to set.
  static long set(List<String> options) {
    return options.stream().mapToLong(KNOWN::get).reduce(0, (a, b) -> a | b);
  }

  /// The bits that mount_setattr(2) is to clear first.
  static long clear(List<String> options) {
    return options.contains("noatime") ? MountAttributes.ATIME : 0;
  }
}
