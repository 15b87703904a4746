package dev.peapod.image.manifest;

import java.util.Optional;

/// What an image's programs run on, in the words of Go and OCI.
public record Platform(String os, String architecture, Optional<String> variant) {
  /// What this process runs on.
  public static Platform current() {
    return switch (System.getProperty("os.arch", "")) {
      case "amd64", "x86_64" -> new Platform("linux", "amd64", Optional.empty());
      case "aarch64" -> new Platform("linux", "arm64", Optional.of("v8"));
      case String other -> new Platform("linux", other, Optional.empty());
    };
  }

  /// Whether this machine, which is of this platform, runs images of the other one.
  public boolean runs(Platform image) {
    return os.equals(image.os)
        && architecture.equals(image.architecture)
        && (image.variant.isEmpty()
            || image.variant.get().isEmpty()
            || image.variant.equals(variant)
            || (architecture.equals("amd64") && image.variant.get().equals("v1")));
  }

  @Override
  public String toString() {
    return os + "/" + architecture + variant.map(v -> "/" + v).orElse("");
  }
}
