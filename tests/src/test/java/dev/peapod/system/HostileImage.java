package dev.peapod.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Makes images that nobody should trust: the busybox image with a layer more.
final class HostileImage {
  private static final String SCRIPT =
      """
      set -euo pipefail
      home=$1 images=$2 config=$3
      . "$home/examples/lib/debian.sh"
      . "$home/examples/lib/images.sh"
      mkdir -p "$images/layers" "$images/root"
      cp "$home/tests/target/fixtures/debian/layers/base.tar" "$images/layers/"
      (cd "$images/root" && . "$images/layer.sh")
      images_layer more "$images/root"
      images_archive "$images/image.tar" localhost/hostile:1 "$config" base more
      """;

  private HostileImage() {}

  /// An archive of such an image.
  ///
  /// @param directory where it is made; must not exist
  /// @param config more of the image's configuration, as JSON
  /// @param layer a script that makes the layer's files in its working directory
  static Path make(Path directory, String config, String layer) {
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("layer.sh"), layer + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Shell.run(
            Map.of(),
            "",
            List.of(
                "bash",
                "-c",
                SCRIPT,
                "hostile",
                Fixtures.HOME.toString(),
                directory.toString(),
                config))
        .ok();
    return directory.resolve("image.tar");
  }
}
