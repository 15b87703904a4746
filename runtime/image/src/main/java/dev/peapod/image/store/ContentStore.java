package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Digest;
import dev.peapod.image.LayerProgress;
import dev.peapod.image.Lease;
import dev.peapod.image.ProgressListener;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/// Layers, images and references under one directory:
///
/// ```
/// index.json    what there is; a layer that is not listed here does not exist
/// configs/      the images' configurations
/// l/N/          unpacked layers; l/0 is empty, for images without layers
/// tmp/          scratch
/// ```
///
/// Layers are unpacked where they stay, synced to disk, and exist once the index lists them.
/// Readers see an immutable [StoreState]; writers take turns. Thread-safe.
public final class ContentStore implements AutoCloseable {
  /// The directory of the layer that has nothing in it.
  public static final String EMPTY_LAYER = "0";

  private static final System.Logger LOG = System.getLogger(ContentStore.class.getName());
  private static final int MIN_WORKERS = 8;
  private static final long IDLE_SECONDS = 20;
  private static final long CLOSE_SECONDS = 5;

  private final Path directory;
  private final Path layers;
  private final StateFiles files;
  private final Leases leases = new Leases();
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Digest, LayerJob> jobs = new HashMap<>();
  private final Map<String, Integer> pins = new HashMap<>();
  private final ThreadPoolExecutor workers =
      pool("image-layer-", Math.max(MIN_WORKERS, Runtime.getRuntime().availableProcessors()));
  private final ThreadPoolExecutor cleaner = pool("image-cleaner-", 1);
  private volatile StoreState state;
  private boolean adopted;
  private int nextLayer;

  private ContentStore(Path directory) throws IOException {
    this.directory = directory;
    layers = directory.resolve("l");
    for (Path made :
        List.of(
            directory,
            layers,
            directory.resolve("configs"),
            directory.resolve("tmp"))) {
      Files.createDirectories(
          made, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    files = new StateFiles(directory);
    state = files.read();
    prepareLayers();
  }

  /// Opens a store. What nobody refers to is removed from [#adopt(Collection)] on.
  ///
  /// @throws PeapodException INTERNAL, RESOURCE_EXHAUSTED
  public static ContentStore open(Path directory) {
    try {
      return new ContentStore(directory);
    } catch (IOException e) {
      throw IoErrors.of("the image store " + directory + " can not be opened", e);
    }
  }

  /// What there is now.
  public StoreState state() {
    return state;
  }

  /// Where a layer is.
  public Path layer(String name) {
    return layers.resolve(name);
  }

  /// A new directory for scratch, which the caller removes.
  public Path scratch() {
    try {
      return Files.createTempDirectory(directory.resolve("tmp"), "load-");
    } catch (IOException e) {
      throw IoErrors.of("no scratch directory can be made in " + directory, e);
    }
  }

  /// Begins to bring an image's layers here; those that are here or under way are not fetched
  /// again.
  public Ingest ingest(List<LayerInput> inputs, ProgressListener listener) {
    Ingest ingest = new Ingest(this, listener);
    try {
      lock.lock();
      try {
        for (LayerInput input : inputs) {
          ingest.add(part(input, listener));
        }
      } finally {
        lock.unlock();
      }
      return ingest;
    } catch (RuntimeException e) {
      ingest.close();
      throw e;
    }
  }

  /// Changes references; content that nobody wants any more goes.
  public void update(UnaryOperator<StoreState> change) {
    lock.lock();
    try {
      replace(change.apply(state));
      collect();
    } finally {
      lock.unlock();
    }
  }

  /// Holds an image for a holder. Takes no lock.
  public Lease lease(String image, String holder) {
    ImageRecord record = state.images().get(image);
    if (record != null) {
      Lease lease = new Lease(image, holder, record.layers().stream().map(this::layer).toList());
      leases.add(lease);
      // A collection that did not see the lease has published its state before it looked.
      if (state.images().containsKey(image)) {
        return lease;
      }
      leases.release(holder);
    }
    throw PeapodException.notFound("there is no image " + image);
  }

  /// Ends a holder's leases. What only they kept goes with the next change.
  public void release(String holder) {
    leases.release(holder);
    collectLater();
  }

  /// Says who holds what since an earlier process, and removes what nobody refers to.
  ///
  /// @throws PeapodException INTERNAL, RESOURCE_EXHAUSTED
  public void adopt(Collection<Lease> held) {
    lock.lock();
    try {
      held.forEach(leases::add);
      adopted = true;
      collect();
      sweep(
          held.stream()
              .flatMap(lease -> lease.layers().stream())
              .map(layer -> layer.getFileName().toString())
              .collect(Collectors.toSet()));
      files.retainConfigs(state);
    } catch (IOException e) {
      throw IoErrors.of("the image store " + directory + " can not be cleaned", e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      jobs.values().forEach(LayerJob::abandon);
    } finally {
      lock.unlock();
    }
    workers.shutdown();
    // What is not removed now is removed by the next start.
    cleaner.shutdownNow();
    try {
      if (!workers.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)
          || !cleaner.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.log(Level.INFO, "the image store is closed while it works");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Lists layers and an image in the index.
  void commit(
      ImageRecord image, byte[] config, List<LayerRecord> parts, UnaryOperator<StoreState> names) {
    lock.lock();
    try {
      files.writeConfig(Digest.parse(image.id()), config);
      AtomicFiles.sync(layers);
      replace(names.apply(state.with(image, parts)));
      for (LayerRecord part : parts) {
        LayerJob job = jobs.get(part.diffId());
        if (job != null && job.directory().equals(layer(part.directory()))) {
          jobs.remove(part.diffId());
        }
      }
    } catch (IOException e) {
      throw IoErrors.of("image " + image.id() + " can not be recorded", e);
    } finally {
      lock.unlock();
    }
  }

  void leave(Collection<Ingest.Part> parts, ProgressListener listener) {
    lock.lock();
    try {
      for (Ingest.Part part : parts) {
        unpin(part.directory());
        if (part instanceof Ingest.Making(LayerJob job)
            && job.leave(listener)
            && !state.layers().containsKey(part.directory())) {
          jobs.remove(job.input().diffId(), job);
          if (job.abandon()) {
            later(() -> Disk.discard(job.directory()));
          }
        }
      }
      collect();
    } finally {
      lock.unlock();
    }
  }

  private Ingest.Part part(LayerInput input, ProgressListener listener) {
    LayerRecord existing = state.layer(input.diffId()).orElse(null);
    if (existing != null) {
      pin(existing.directory());
      long size = Math.max(0, input.size());
      listener.progress(
          new LayerProgress(input.shownDigest(), LayerProgress.State.EXISTS, size, size));
      return new Ingest.Existing(existing);
    }
    LayerJob job = jobs.get(input.diffId());
    if (job == null || job.result().isCompletedExceptionally()) {
      job = new LayerJob(input, layer(Integer.toString(nextLayer++)));
      jobs.put(input.diffId(), job);
      workers.execute(job);
    }
    job.join(listener);
    Ingest.Making making = new Ingest.Making(job);
    pin(making.directory());
    return making;
  }

  private void pin(String name) {
    pins.merge(name, 1, Integer::sum);
  }

  private void unpin(String name) {
    pins.computeIfPresent(name, (key, count) -> count == 1 ? null : count - 1);
  }

  private void replace(StoreState next) {
    if (!next.equals(state)) {
      try {
        files.write(next);
      } catch (IOException e) {
        throw IoErrors.of("the image index can not be written", e);
      }
      state = next;
    }
  }

  private void later(Runnable cleaning) {
    try {
      cleaner.execute(cleaning);
    } catch (RejectedExecutionException e) {
      // Closed: the next start cleans.
    }
  }

  private void collectLater() {
    later(
        () -> {
          lock.lock();
          try {
            collect();
          } catch (PeapodException e) {
            LOG.log(Level.WARNING, "unused images stay: {0}", e.getMessage());
          } finally {
            lock.unlock();
          }
        });
  }

  private void collect() {
    if (!adopted) {
      return;
    }
    StoreState before = state;
    StoreState after = before.collected(leases.images(), pins.keySet());
    if (after == before) {
      return;
    }
    replace(after);
    Set<String> lost = new HashSet<>(before.images().keySet());
    lost.removeAll(after.images().keySet());
    lost.retainAll(leases.images());
    if (!lost.isEmpty()) {
      // Leased in between.
      replace(before.collected(leases.images(), pins.keySet()));
    }
    Set<String> gone = new HashSet<>(before.layers().keySet());
    gone.removeAll(state.layers().keySet());
    gone.forEach(name -> later(() -> Disk.discard(layer(name))));
    try {
      files.retainConfigs(state);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "configurations of images stay: {0}", e.getMessage());
    }
  }

  private void prepareLayers() throws IOException {
    Path empty = layer(EMPTY_LAYER);
    if (!Files.isDirectory(empty)) {
      Files.createDirectory(empty);
      Files.setPosixFilePermissions(empty, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    nextLayer = 1;
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(layers)) {
      for (Path found : stream) {
        String name = found.getFileName().toString();
        if (name.matches("[0-9]{1,9}")) {
          nextLayer = Math.max(nextLayer, Integer.parseInt(name) + 1);
        }
      }
    }
    Path scratch = directory.resolve("tmp");
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(scratch)) {
      for (Path found : stream) {
        Disk.discard(found);
      }
    }
  }

  /// Removes the layers that are not listed, leased, or being made.
  private void sweep(Set<String> leased) throws IOException {
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(layers)) {
      for (Path found : stream) {
        String name = found.getFileName().toString();
        boolean wanted =
            name.equals(EMPTY_LAYER)
                || state.layers().containsKey(name)
                || pins.containsKey(name)
                || leased.contains(name);
        if (!wanted) {
          later(() -> Disk.discard(found));
        }
      }
    }
  }

  private static ThreadPoolExecutor pool(String name, int count) {
    AtomicInteger number = new AtomicInteger();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            count,
            count,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task ->
                Thread.ofPlatform().daemon().name(name + number.incrementAndGet()).unstarted(task));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }
}
