package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.Manifest;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.manifest.ObjectManifest;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.object.ObjectKey;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A directory whose manifests are kept applied, as kubelet keeps its static pods: a new file is
/// applied, a changed one again (its pods are made anew where they can not be changed in place), and
/// what a file no longer names is deleted, whether that happened while a daemon ran or not. A file
/// that is wrong is told of once, and what an earlier version of it made stays.
///
/// Where things come from is written down with them, as an annotation.
public final class ManifestDirectory implements AutoCloseable {
  private static final Logger LOG = System.getLogger(ManifestDirectory.class.getName());
  private static final String SOURCE = "kubernetes.io/config.source";
  private static final String FILE = "dev.peapod/manifest";
  private static final long LARGEST = 4 << 20;

  /// What tells one version of a file from another.
  private record Stamp(long size, FileTime modified, String key) {}

  /// @param manifests none if the file is wrong
  private record Version(Stamp stamp, Optional<List<Manifest>> manifests) {}

  private final Fleet fleet;
  private final Manifests reader;
  private final Path directory;
  private final Duration interval;
  private final Map<String, Version> files = new HashMap<>();
  private final Map<String, String> problems = new HashMap<>();
  private @Nullable Thread thread;

  /// @param interval between two looks
  public ManifestDirectory(Fleet fleet, Manifests reader, Path directory, Duration interval) {
    this.fleet = fleet;
    this.reader = reader;
    this.directory = directory;
    this.interval = interval;
  }

  public void start() {
    thread = Thread.ofVirtual().name("manifests").start(this::lookAgainAndAgain);
  }

  private void lookAgainAndAgain() {
    try {
      while (true) {
        try {
          look();
          problems.remove("");
        } catch (IOException | RuntimeException e) {
          problem("", "can not look at " + directory + ": " + e);
        }
        Thread.sleep(interval);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  private void look() throws IOException, InterruptedException {
    Map<String, Stamp> present = present();
    files.keySet().retainAll(present.keySet());
    problems.keySet().removeIf(name -> !name.isEmpty() && !present.containsKey(name));
    for (Map.Entry<String, Stamp> file : present.entrySet()) {
      Version known = files.get(file.getKey());
      if (known == null || !known.stamp().equals(file.getValue())) {
        Optional<List<Manifest>> read = read(file.getKey());
        files.put(file.getKey(), new Version(file.getValue(), read));
        read.ifPresent(manifests -> apply(file.getKey(), manifests));
      } else {
        known
            .manifests()
            .filter(this::isIncomplete)
            .ifPresent(manifests -> apply(file.getKey(), manifests));
      }
    }
    deleteUnnamed();
  }

  private Map<String, Stamp> present() throws IOException {
    Map<String, Stamp> present = new TreeMap<>();
    List<Path> paths;
    try (Stream<Path> list = Files.list(directory)) {
      paths = list.filter(ManifestDirectory::isManifest).toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return present;
    }
    for (Path path : paths) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (attributes.isRegularFile()) {
          present.put(
              path.getFileName().toString(),
              new Stamp(
                  attributes.size(),
                  attributes.lastModifiedTime(),
                  String.valueOf(attributes.fileKey())));
        }
      } catch (NoSuchFileException e) {
        // Gone since it was listed.
      }
    }
    return present;
  }

  private static boolean isManifest(Path path) {
    String name = path.getFileName().toString();
    return !name.startsWith(".")
        && (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"));
  }

  private Optional<List<Manifest>> read(String name) {
    Path path = directory.resolve(name);
    try {
      if (Files.size(path) > LARGEST) {
        problem(name, "manifest " + path + " is too large");
        return Optional.empty();
      }
      List<Manifest> manifests =
          reader.read(
              List.of(new ManifestSource(path.toString(), Files.readAllBytes(path))), "default");
      manifests.forEach(this::mark);
      problems.remove(name);
      return Optional.of(manifests);
    } catch (IOException | PeapodException e) {
      problem(name, "manifest " + path + " is left as it was: " + e.getMessage());
      return Optional.empty();
    }
  }

  private void mark(Manifest manifest) {
    ObjectMeta metadata =
        switch (manifest) {
          case PodManifest pod -> pod.pod().getMetadata();
          case ObjectManifest object -> object.object().getMetadata();
        };
    Map<String, String> annotations = new TreeMap<>();
    if (metadata.getAnnotations() != null) {
      annotations.putAll(metadata.getAnnotations());
    }
    annotations.put(SOURCE, "file");
    String source = manifest.source();
    annotations.put(FILE, source);
    metadata.setAnnotations(annotations);
  }

  private boolean isIncomplete(List<Manifest> manifests) {
    return manifests.stream()
        .anyMatch(
            manifest ->
                switch (manifest) {
                  case PodManifest pod -> fleet.board().get(PodKey.of(pod.pod())).isEmpty();
                  case ObjectManifest object ->
                      !goesByItself(object.object())
                          && fleet.objects().get(ObjectKey.of(object.object())).isEmpty();
                });
  }

  /// A job that was to go when it was over has not to run once more.
  private static boolean goesByItself(HasMetadata object) {
    return object instanceof Job job && job.getSpec().getTtlSecondsAfterFinished() != null;
  }

  private void apply(String name, List<Manifest> manifests) {
    try {
      for (Fleet.Applied applied : fleet.apply(manifests, true, false)) {
        if (applied.result() != Fleet.Result.UNCHANGED) {
          Manifest manifest = applied.manifest();
          LOG.log(
              Logger.Level.INFO,
              "{0} {1}/{2} of {3} {4}",
              manifest.kind(),
              manifest.namespace(),
              manifest.name(),
              manifest.source(),
              applied.result());
        }
      }
      problems.remove(name);
    } catch (PeapodException e) {
      problem(name, "manifest " + directory.resolve(name) + " is not applied: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Says what is wrong, once.
  private void problem(String name, String text) {
    if (!text.equals(problems.put(name, text))) {
      LOG.log(Logger.Level.WARNING, text);
    }
  }

  /// Deletes what came from a file of this directory that does not name it any more.
  private void deleteUnnamed() {
    Set<PodKey> pods = new HashSet<>();
    Set<ObjectKey> objects = new HashSet<>();
    Set<String> wrong = new TreeSet<>();
    files.forEach(
        (name, version) -> {
          if (version.manifests().isEmpty()) {
            wrong.add(directory.resolve(name).toString());
          }
          for (Manifest manifest : version.manifests().orElse(List.of())) {
            switch (manifest) {
              case PodManifest pod -> pods.add(PodKey.of(pod.pod()));
              case ObjectManifest object -> objects.add(ObjectKey.of(object.object()));
            }
          }
        });
    for (PodBoard.Entry entry : fleet.board().list().entries()) {
      PodKey key = PodKey.of(entry.pod());
      if (isOurs(entry.pod(), wrong)
          && !pods.contains(key)
          && entry.pod().getMetadata().getDeletionTimestamp() == null) {
        LOG.log(Logger.Level.INFO, "pod {0} is deleted: its manifest is gone", key);
        fleet.delete(key, Optional.empty());
      }
    }
    List<ObjectKey> gone = new ArrayList<>();
    for (HasMetadata object : fleet.objects().list()) {
      if (isOurs(object, wrong) && !objects.contains(ObjectKey.of(object))) {
        gone.add(ObjectKey.of(object));
      }
    }
    for (ObjectKey key : gone) {
      try {
        fleet.deleteObject(key);
        problems.remove(key.toString());
      } catch (PeapodException e) {
        // A claim whose pod has not gone yet.
        LOG.log(Logger.Level.DEBUG, "{0} stays for now: {1}", key, e.getMessage());
      }
    }
  }

  private boolean isOurs(HasMetadata object, Set<String> wrong) {
    Map<String, String> annotations = object.getMetadata().getAnnotations();
    String file = annotations == null ? null : annotations.get(FILE);
    return file != null
        && directory.equals(Path.of(file).getParent())
        && !wrong.contains(file);
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
