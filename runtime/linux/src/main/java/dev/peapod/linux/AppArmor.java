package dev.peapod.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// AppArmor, as far as it labels processes. Thread-safe.
public final class AppArmor {
  private static final String ENABLED = "/sys/module/apparmor/parameters/enabled";
  private static final String PROFILES = "/sys/kernel/security/apparmor/profiles";

  private AppArmor() {}

  /// Whether the kernel has it on.
  public static boolean isOn() {
    return Files.exists(Path.of(ENABLED)) && KernelFiles.read(ENABLED).equals("Y");
  }

  /// Whether a profile is loaded; nothing where the list can not be seen, since securityfs
  /// is not mounted.
  public static Optional<Boolean> isLoaded(String name) {
    if (!Files.isReadable(Path.of(PROFILES))) {
      return Optional.empty();
    }
    // One line for each: `name (mode)`.
    return Optional.of(
        KernelFiles.read(PROFILES, 1 << 22)
            .lines()
            .anyMatch(line -> line.startsWith(name + " (")));
  }

  /// Loads profiles into the kernel, in the place of those of their names.
  ///
  /// @param text as apparmor_parser(8) takes it
  /// @throws dev.peapod.error.PeapodException if that program is missing or refuses it
  public static void load(String text) {
    Programs.run(
        List.of("apparmor_parser", "--replace", "--skip-cache", "--quiet"),
        text,
        "it is in Debian's package apparmor");
  }
}
