package dev.peapod.system;

import java.nio.file.Path;
import java.util.Objects;

/// What tests need besides Peapod, made once from Debian packages and kept under `tests/target/fixtures`.
final class Fixtures {
  /// The root of the clone.
  static final Path HOME = Path.of(Objects.requireNonNull(System.getProperty("peapod.home")));

  /// The name of the image in [#busybox()].
  static final String BUSYBOX = "localhost/peapod/busybox:1";

  private static final Path DIRECTORY = make();

  private Fixtures() {}

  private static Path make() {
    Path directory = HOME.resolve("tests/target/fixtures");
    Shell.run(HOME.resolve("tests/fixtures/make").toString(), directory.toString(), "images").ok();
    return directory;
  }

  /// Where they are.
  static Path directory() {
    return DIRECTORY;
  }

  /// An archive of a busybox image in two layers, an OCI layout and a `docker save` archive at once.
  static Path busybox() {
    return DIRECTORY.resolve("busybox.tar");
  }

  /// Debian's registry server.
  static Path dockerRegistry() {
    return DIRECTORY.resolve("programs/docker-registry");
  }
}
