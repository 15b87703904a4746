package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.files.AtomicFiles;
import dev.peapod.pods.files.Trees;
import dev.peapod.pods.status.PodText;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The applied pods on disk, one directory each, named by uid: `pod.json`, `deletion.json` once it
/// is to be deleted, `status.json` with what a new daemon can not ask the runtime (finished
/// instances, restart counts). Written by temp, fsync, rename. Thread-safe as long as one pod's
/// files are written by one thread.
public final class PodStore {
  private static final Logger LOG = System.getLogger(PodStore.class.getName());
  private static final String POD = "pod.json";
  private static final String DELETION = "deletion.json";
  private static final String STATUS = "status.json";

  /// A pod as it was found.
  ///
  /// @param deletionGrace seconds, if it was being deleted
  public record Stored(Pod pod, Optional<PodStatus> status, Optional<Long> deletionGrace) {}

  private final Path root;

  public PodStore(PodsConfig config) {
    this.root = config.podsDirectory();
  }

  /// All pods. A directory that can not be read is set aside with a warning.
  public List<Stored> load() {
    List<Stored> found = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return found;
    }
    List<Path> directories;
    try (Stream<Path> list = Files.list(root)) {
      directories =
          list.filter(path -> !path.getFileName().toString().startsWith(".")).sorted().toList();
    } catch (IOException e) {
      throw PeapodException.internal("can not list " + root, e);
    }
    for (Path directory : directories) {
      try {
        read(directory).ifPresent(found::add);
      } catch (IOException | RuntimeException e) {
        setAside(directory, e);
      }
    }
    return found;
  }

  private static Optional<Stored> read(Path directory) throws IOException {
    Path file = directory.resolve(POD);
    if (!Files.exists(file)) {
      // Made before its manifest was, or left by a removal that was cut off after the manifest.
      Trees.delete(directory);
      return Optional.empty();
    }
    Pod pod = PodText.pod(Files.readAllBytes(file));
    if (pod.getMetadata() == null
        || !directory.getFileName().toString().equals(pod.getMetadata().getUid())
        || pod.getSpec() == null) {
      throw new IOException("it is not the pod of its directory");
    }
    Optional<PodStatus> status = Optional.empty();
    if (Files.exists(directory.resolve(STATUS))) {
      status = Optional.of(PodText.status(Files.readAllBytes(directory.resolve(STATUS))));
    }
    Optional<Long> grace = Optional.empty();
    if (Files.exists(directory.resolve(DELETION))) {
      grace = Optional.of(Long.parseLong(Files.readString(directory.resolve(DELETION)).strip()));
    }
    return Optional.of(new Stored(pod, status, grace));
  }

  private void setAside(Path directory, Exception why) {
    Path aside =
        root.resolve(".broken-" + directory.getFileName() + "-" + Instant.now().toEpochMilli());
    LOG.log(
        Logger.Level.WARNING, "set aside " + directory + " as " + aside + ": " + why.getMessage());
    try {
      Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.log(Logger.Level.WARNING, "can not move " + directory + ": " + e.getMessage());
    }
  }

  void savePod(Pod pod) {
    write(directory(pod), POD, PodText.json(pod));
  }

  void saveStatus(Pod pod, PodStatus status) {
    write(directory(pod), STATUS, PodText.json(status));
  }

  void saveDeletion(Pod pod, long graceSeconds) {
    write(directory(pod), DELETION, graceSeconds + "\n");
  }

  /// Removes all that is kept of a pod, the manifest last, so that a crash in between goes on with
  /// the removal.
  void remove(Pod pod, PodPaths paths) throws IOException {
    Trees.delete(paths.logs());
    for (String part : List.of("volumes", "volume-subpaths", "containers")) {
      Trees.delete(paths.directory().resolve(part));
    }
    Files.deleteIfExists(paths.directory().resolve(POD));
    Trees.delete(paths.directory());
  }

  private Path directory(Pod pod) {
    return root.resolve(pod.getMetadata().getUid());
  }

  private static void write(Path directory, String name, String text) {
    AtomicFiles.write(directory.resolve(name), text.getBytes(StandardCharsets.UTF_8));
  }
}
