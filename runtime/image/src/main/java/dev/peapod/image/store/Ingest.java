package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import dev.peapod.image.ImageConfig;
import dev.peapod.image.ProgressListener;
import dev.peapod.image.registry.Interruption;
import dev.peapod.linux.FileAttributes;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.TreeWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/// One image's layers on their way into the store: kept from being collected until this is closed.
public final class Ingest implements AutoCloseable {
  sealed interface Part {
    /// The name of the layer's directory.
    String directory();
  }

  record Existing(LayerRecord layer) implements Part {
    @Override
    public String directory() {
      return layer.directory();
    }
  }

  record Making(LayerJob job) implements Part {
    @Override
    public String directory() {
      return String.valueOf(job.directory().getFileName());
    }
  }

  private final ContentStore store;
  private final ProgressListener listener;
  private final List<Part> parts = new ArrayList<>();

  Ingest(ContentStore store, ProgressListener listener) {
    this.store = store;
    this.listener = listener;
  }

  void add(Part part) {
    parts.add(part);
  }

  /// Waits until all layers are unpacked, writes them to disk and lists the image.
  ///
  /// @param id of the image
  /// @param document its configuration as it came
  /// @param names gives the image its names
  public void commit(
      String id,
      ImageConfig config,
      byte[] document,
      String what,
      UnaryOperator<StoreState> names) {
    try {
      List<LayerRecord> layers = await();
      onPlatformThread(
          () -> {
            settle(layers);
            Disk.sync(store.layer(ContentStore.EMPTY_LAYER));
          });
      // A layer that an image has twice hides its lower self, and overlayfs takes each but once.
      SequencedSet<String> directories = new LinkedHashSet<>();
      layers.reversed().forEach(layer -> directories.add(layer.directory()));
      if (directories.isEmpty()) {
        directories.add(ContentStore.EMPTY_LAYER);
      }
      ImageRecord image = new ImageRecord(id, config, List.copyOf(directories).reversed());
      store.commit(image, document, layers, names);
    } catch (InterruptedException e) {
      throw Interruption.of(what);
    }
  }

  @Override
  public void close() {
    store.leave(parts, listener);
    parts.clear();
  }

  private List<LayerRecord> await() throws InterruptedException {
    CompletableFuture<Boolean> all = new CompletableFuture<>();
    AtomicInteger left = new AtomicInteger(parts.size());
    for (Part part : parts) {
      CompletableFuture<LayerRecord> result =
          switch (part) {
            case Existing existing -> CompletableFuture.completedFuture(existing.layer());
            case Making making -> making.job().result();
          };
      result.whenComplete(
          (layer, failure) -> {
            if (failure != null) {
              all.completeExceptionally(failure);
            } else if (left.decrementAndGet() == 0) {
              all.complete(true);
            }
          });
    }
    if (!parts.isEmpty()) {
      get(all);
    }
    List<LayerRecord> layers = new ArrayList<>();
    for (Part part : parts) {
      layers.add(
          switch (part) {
            case Existing existing -> existing.layer();
            case Making making -> making.job().result().join();
          });
    }
    return layers;
  }

  /// Gives directories that a layer does not speak of the owner and mode that they have below: in
  /// an overlay the uppermost directory's count.
  private void settle(List<LayerRecord> layers) {
    for (int i = 1; i < layers.size(); i++) {
      boolean fresh = parts.get(i) instanceof Making;
      if (fresh && !layers.get(i).unsaid().isEmpty()) {
        settle(layers.get(i), layers.subList(0, i));
      }
    }
  }

  private void settle(LayerRecord layer, List<LayerRecord> below) {
    List<TreeWriter> trees = new ArrayList<>();
    try (TreeWriter tree = TreeWriter.open(store.layer(layer.directory()))) {
      for (LayerRecord lower : below.reversed()) {
        trees.add(TreeWriter.open(store.layer(lower.directory())));
      }
      for (String path : layer.unsaid()) {
        for (TreeWriter lower : trees) {
          Optional<FileAttributes> attributes = lower.attributes(path);
          if (attributes.isPresent()) {
            tree.adopt(path, attributes.get());
            break;
          }
        }
      }
    } finally {
      trees.forEach(TreeWriter::close);
    }
  }

  /// Waits for the disk where no virtual thread's carrier has to.
  private static void onPlatformThread(Runnable work) throws InterruptedException {
    FutureTask<Boolean> task = new FutureTask<>(work, true);
    Thread.ofPlatform().daemon().name("image-sync").start(task);
    get(task);
  }

  private static void get(Future<?> future) throws InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case PeapodException known ->
            throw new PeapodException(known.kind(), String.valueOf(known.getMessage()), known);
        case KernelException kernel ->
            throw PeapodException.internal(
                "layers can not be kept: " + kernel.getMessage(), kernel);
        case null, default -> throw PeapodException.internal("layers can not be kept: " + e, e);
      }
    }
  }
}
