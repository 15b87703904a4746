package dev.peapod.engine.security;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.AppArmor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The AppArmor profile of containers that ask for the run-time's default. It is loaded when it is first asked for, in the
/// place of that of a daemon before this one, and stays in the kernel. Thread-safe.
final class DefaultAppArmor {
  private static final Logger LOG = System.getLogger(DefaultAppArmor.class.getName());
  private static final String NAME = "peapod-default";
  private static final String RESOURCE = "default-apparmor.profile";

  private @Nullable Optional<String> loaded;

  /// Its name; none where the kernel has no AppArmor, or no program is there that could load it.
  synchronized Optional<String> name() {
    Optional<String> known = loaded;
    if (known == null) {
      known = load();
      loaded = known;
    }
    return known;
  }

  private static Optional<String> load() {
    if (!AppArmor.isOn()) {
      return Optional.empty();
    }
    try {
      AppArmor.load(resource());
      return Optional.of(NAME);
    } catch (PeapodException e) {
      LOG.log(
          Level.WARNING,
          "containers that name no AppArmor profile are not confined by AppArmor: {0}",
          e.getMessage());
      return Optional.empty();
    }
  }

  private static String resource() {
    try (InputStream in = DefaultAppArmor.class.getResourceAsStream(RESOURCE)) {
      byte[] bytes = Objects.requireNonNull(in, RESOURCE).readAllBytes();
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
