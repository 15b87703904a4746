package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/// Who holds which images: one small file each, named `holder:id`, that lists the layers'
/// directories.
///
/// Not fsynced: a holder is a container, which no reboot survives. Thread-safe.
final class Leases {
  private static final System.Logger LOG = System.getLogger(Leases.class.getName());
  private static final Pattern HOLDER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private record Held(String holder, String image) {}

  private final Path directory;
  private final Set<Held> held = ConcurrentHashMap.newKeySet();

  Leases(Path directory) {
    this.directory = directory;
  }

  /// Reads the leases that there are; answers the layer directories that they list.
  Set<String> read() throws IOException {
    Set<String> layers = new HashSet<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path file : stream) {
        String name = file.getFileName().toString();
        int colon = name.indexOf(':');
        if (colon > 0) {
          held.add(new Held(name.substring(0, colon), name.substring(colon + 1)));
          Files.readString(file).lines().forEach(layers::add);
        }
      }
    }
    return layers;
  }

  void add(String holder, String image, List<String> layers) {
    if (!HOLDER.matcher(holder).matches()) {
      throw PeapodException.invalid("\"" + holder + "\" can not hold an image: not a simple name");
    }
    Held lease = new Held(holder, image);
    try {
      Files.write(file(lease), layers);
    } catch (IOException e) {
      throw IoErrors.of("the lease of image " + image + " can not be recorded", e);
    }
    held.add(lease);
  }

  void release(String holder) {
    for (Held lease : held) {
      if (lease.holder.equals(holder)) {
        remove(lease);
      }
    }
  }

  void retain(Collection<String> holders) {
    Set<String> live = Set.copyOf(holders);
    for (Held lease : held) {
      if (!live.contains(lease.holder)) {
        remove(lease);
      }
    }
  }

  Set<String> images() {
    Set<String> images = new HashSet<>();
    held.forEach(lease -> images.add(lease.image));
    return images;
  }

  private void remove(Held lease) {
    try {
      Files.deleteIfExists(file(lease));
    } catch (IOException e) {
      LOG.log(Level.WARNING, "a lease of {0} stays on disk: {1}", lease.holder, e.getMessage());
    }
    held.remove(lease);
  }

  private Path file(Held lease) {
    return directory.resolve(lease.holder + ":" + lease.image);
  }
}
