package dev.peapod.installation;

import java.util.Locale;

/// The names that this machine's processor has in the jars with native libraries.
///
/// @param name ours, and Debian's
/// @param jna directory in JNA's jar
/// @param netty classifier and suffix of Netty's
/// @param zstd directory in zstd-jni's jar
record Platform(String name, String jna, String netty, String zstd) {
  static Platform current() {
    String architecture = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return switch (architecture) {
      case "amd64", "x86_64" -> new Platform("amd64", "linux-x86-64", "x86_64", "amd64");
      case "aarch64" -> new Platform("arm64", "linux-aarch64", "aarch_64", "aarch64");
      default ->
          throw new IllegalStateException("Peapod has no native libraries for " + architecture);
    };
  }
}
