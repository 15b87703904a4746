package dev.peapod.pods.object;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.error.PeapodException;
import dev.peapod.pods.files.AtomicFiles;
import dev.peapod.pods.files.Trees;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatusBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The documents that pods refer to: in memory, and on disk below `root/objects`. A claim's
/// directory is below `root/claims` and lives as long as the claim. What is handed out must not be
/// changed. Thread-safe.
public final class ObjectStore {
  private static final Logger LOG = System.getLogger(ObjectStore.class.getName());
  private static final ObjectMapper JSON = new ObjectMapper();

  /// What putting a document came to.
  public enum Result {
    CREATED,
    UNCHANGED,
    CONFIGURED,
    REPLACED
  }

  private final Path directory;
  private final Path claims;
  private final InstantSource clock;
  private final Map<ObjectKey, HasMetadata> objects = new ConcurrentSkipListMap<>();
  private final Set<Path> unread = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long revision;
  private volatile Runnable listener = () -> {};

  /// @param root lasting state
  public ObjectStore(Path root, InstantSource clock) {
    this.directory = root.resolve("objects");
    this.claims = root.resolve("claims");
    this.clock = clock;
    load();
  }

  private void load() {
    for (ObjectKind kind : ObjectKind.values()) {
      Path of = directory.resolve(kind.word());
      if (!Files.isDirectory(of)) {
        continue;
      }
      try (Stream<Path> files = Files.list(of)) {
        files
            .filter(file -> !file.getFileName().toString().startsWith("."))
            .forEach(file -> load(kind, file));
      } catch (IOException e) {
        throw PeapodException.internal("can not list " + of, e);
      }
    }
  }

  private void load(ObjectKind kind, Path file) {
    try {
      HasMetadata object = JSON.readValue(Files.readAllBytes(file), kind.type());
      ObjectKey key = ObjectKey.of(object);
      if (!file.equals(file(key))) {
        throw new IOException("it is not the document of its name");
      }
      objects.put(key, object);
    } catch (IOException | RuntimeException e) {
      unread.add(file);
      LOG.log(Logger.Level.WARNING, "leave out " + file + ": " + e.getMessage());
    }
  }

  public Optional<HasMetadata> get(ObjectKey key) {
    return Optional.ofNullable(objects.get(key));
  }

  /// Whether a document is written down that could not be read, so that nobody knows what it says.
  public boolean isUnread(ObjectKey key) {
    return unread.contains(file(key));
  }

  public Optional<ConfigMap> configMap(String namespace, String name) {
    return get(new ObjectKey(ObjectKind.CONFIG_MAP, namespace, name)).map(ConfigMap.class::cast);
  }

  public Optional<Secret> secret(String namespace, String name) {
    return get(new ObjectKey(ObjectKind.SECRET, namespace, name)).map(Secret.class::cast);
  }

  /// All documents, by kind, namespace and name.
  public List<HasMetadata> list() {
    return List.copyOf(objects.values());
  }

  /// Has somebody told, on the thread that made it, that a document came, changed or went.
  public void onChange(Runnable told) {
    listener = told;
  }

  /// Waits until something is different from what it was at a revision.
  ///
  /// @return the revision now
  public long await(long after, long millis) throws InterruptedException {
    long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    lock.lock();
    try {
      while (revision == after && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      return revision;
    } finally {
      lock.unlock();
    }
  }

  private void tell() {
    revision++;
    changed.signalAll();
    listener.run();
  }

  /// What putting this document would come to.
  ///
  /// @param replace a workload that must not be changed that way is to be made anew
  /// @throws PeapodException INVALID if the present one must not be changed that way
  public Result compare(HasMetadata asked, boolean replace) {
    ObjectKey key = ObjectKey.of(asked);
    HasMetadata present = objects.get(key);
    if (present == null) {
      return Result.CREATED;
    }
    if (replace && key.kind().isWorkload() && Specs.forbidden(present, asked).isPresent()) {
      return Result.REPLACED;
    }
    Changes.requireAllowed(present, asked);
    return same(present, asked) ? Result.UNCHANGED : Result.CONFIGURED;
  }

  /// Makes or changes a document; one that is replaced gets another uid.
  ///
  /// @param replace as for [#compare]
  /// @throws PeapodException INVALID if the present one must not be changed that way
  public Result put(HasMetadata asked, boolean replace) {
    lock.lock();
    try {
      Result result = compare(asked, replace);
      if (result != Result.UNCHANGED) {
        HasMetadata present = objects.get(ObjectKey.of(asked));
        save(asked, result == Result.REPLACED ? null : present);
        tell();
      }
      return result;
    } finally {
      lock.unlock();
    }
  }

  /// Puts another version of a document in the place of the one that is there, as its controller
  /// has it; metadata and status are written as they are given.
  ///
  /// @param present as it was read
  /// @return false if the document is no longer the one that was read
  public boolean update(HasMetadata present, HasMetadata next) {
    ObjectKey key = ObjectKey.of(present);
    lock.lock();
    try {
      if (objects.get(key) != present) {
        return false;
      }
      write(key, next);
      objects.put(key, next);
      tell();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Has a document be deleted once somebody has done what is to be done before; it is there until then.
  ///
  /// @param finalizer a word for what that is
  /// @return false if there is no such document
  public boolean finish(ObjectKey key, String finalizer) {
    lock.lock();
    try {
      HasMetadata present = objects.get(key);
      if (present == null || present.getMetadata().getDeletionTimestamp() != null) {
        return present != null;
      }
      HasMetadata next = JSON.convertValue(present, key.kind().type());
      next.getMetadata().setDeletionTimestamp(now());
      next.getMetadata().setFinalizers(List.of(finalizer));
      return update(present, next);
    } finally {
      lock.unlock();
    }
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private void save(HasMetadata asked, @Nullable HasMetadata present) {
    ObjectKey key = ObjectKey.of(asked);
    ObjectMetaBuilder metadata = new ObjectMetaBuilder(asked.getMetadata());
    if (present == null) {
      metadata
          .withUid(UUID.randomUUID().toString())
          .withCreationTimestamp(now());
    } else {
      metadata
          .withUid(present.getMetadata().getUid())
          .withCreationTimestamp(present.getMetadata().getCreationTimestamp())
          .withDeletionTimestamp(present.getMetadata().getDeletionTimestamp())
          .withFinalizers(present.getMetadata().getFinalizers())
          .withOwnerReferences(present.getMetadata().getOwnerReferences());
    }
    if (key.kind().isWorkload()) {
      metadata.withGeneration(1L);
      if (present != null) {
        long generation = present.getMetadata().getGeneration();
        metadata.withGeneration(Changes.sameContent(present, asked) ? generation : generation + 1);
        Specs.takeStatus(asked, present);
      }
    }
    asked.setMetadata(metadata.build());
    if (asked instanceof PersistentVolumeClaim claim) {
      claim.setStatus(
          new PersistentVolumeClaimStatusBuilder()
              .withPhase("Bound")
              .withAccessModes(claim.getSpec().getAccessModes())
              .withCapacity(claim.getSpec().getResources().getRequests())
              .build());
      makeClaim(key);
    }
    write(key, asked);
    objects.put(key, asked);
  }

  private void write(ObjectKey key, HasMetadata object) {
    try {
      AtomicFiles.write(file(key), JSON.writeValueAsBytes(object));
      unread.remove(file(key));
    } catch (IOException e) {
      throw PeapodException.internal("can not write " + file(key) + ": " + e.getMessage(), e);
    }
  }

  /// Removes a document, and with a claim what is in it; false if there was none.
  public boolean delete(ObjectKey key) {
    lock.lock();
    try {
      boolean existed = objects.remove(key) != null;
      Files.deleteIfExists(file(key));
      if (key.kind() == ObjectKind.CLAIM) {
        Trees.delete(claimDirectory(key));
      }
      removeEmpty(file(key).resolveSibling("."));
      removeEmpty(claimDirectory(key).resolveSibling("."));
      tell();
      return existed;
    } catch (IOException e) {
      throw PeapodException.internal("can not delete " + key + ": " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  /// Removes a directory and the one above it, if nothing is in them.
  private static void removeEmpty(Path directory) throws IOException {
    Path of = directory.normalize();
    try {
      Files.deleteIfExists(of);
      Files.deleteIfExists(of.resolveSibling(".").normalize());
    } catch (DirectoryNotEmptyException e) {
      // Others are there.
    }
  }

  /// Where a claim's files are.
  public Path claimDirectory(ObjectKey key) {
    return claims.resolve(key.namespace()).resolve(key.name());
  }

  private void makeClaim(ObjectKey key) {
    Path made = claimDirectory(key);
    try {
      if (!Files.isDirectory(made)) {
        Files.createDirectories(made);
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxrwxrwx"));
      }
    } catch (IOException e) {
      throw PeapodException.internal("can not make " + made + ": " + e.getMessage(), e);
    }
  }

  private Path file(ObjectKey key) {
    return directory
        .resolve(key.kind().word())
        .resolve(key.namespace() + "_" + key.name() + ".json");
  }

  private static boolean same(HasMetadata present, HasMetadata asked) {
    return Objects.equals(present.getMetadata().getLabels(), asked.getMetadata().getLabels())
        && Objects.equals(
            present.getMetadata().getAnnotations(), asked.getMetadata().getAnnotations())
        && Changes.sameContent(present, asked);
  }
}
