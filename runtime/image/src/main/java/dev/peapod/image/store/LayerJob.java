package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.LayerProgress;
import dev.peapod.image.LayerProgress.State;
import dev.peapod.image.ProgressListener;
import dev.peapod.image.layer.LayerBlob;
import dev.peapod.image.layer.LayerUnpacker;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/// The making of one layer, for all who wait for it. The waiters are counted by the store, under
/// its lock.
final class LayerJob implements Runnable {
  private static final long PROGRESS_STEP = 256 * 1024;

  private final LayerInput input;
  private final Path directory;
  private final CompletableFuture<LayerRecord> result = new CompletableFuture<>();
  private final List<ProgressListener> listeners = new CopyOnWriteArrayList<>();
  private volatile LayerProgress last;
  private volatile boolean abandoned;
  private long reported;
  private int waiters;

  LayerJob(LayerInput input, Path directory) {
    this.input = input;
    this.directory = directory;
    this.last = new LayerProgress(input.shownDigest(), State.WAITING, 0, Math.max(0, input.size()));
  }

  void join(ProgressListener listener) {
    waiters++;
    listeners.add(listener);
    listener.progress(last);
  }

  /// Answers whether nobody is left.
  boolean leave(ProgressListener listener) {
    listeners.remove(listener);
    return --waiters == 0;
  }

  /// Makes the work stop soon and its directory go; answers whether it has ended already, so that
  /// the caller removes the directory.
  boolean abandon() {
    abandoned = true;
    return result.isDone();
  }

  CompletableFuture<LayerRecord> result() {
    return result;
  }

  LayerInput input() {
    return input;
  }

  Path directory() {
    return directory;
  }

  @Override
  public void run() {
    try {
      LayerRecord record = unpack();
      report(State.DONE, last.bytes());
      result.complete(record);
    } catch (PeapodException e) {
      failed(e);
    } catch (IOException e) {
      failed(IoErrors.of(input.what() + " can not be unpacked", e));
    } catch (RuntimeException | Error e) {
      failed(PeapodException.internal(input.what() + " can not be unpacked: " + e, e));
    }
    if (abandoned) {
      discard();
    }
  }

  private LayerRecord unpack() throws IOException {
    stopIfAbandoned();
    Files.createDirectory(directory);
    report(State.DOWNLOADING, 0);
    try (InputStream in = input.opener().open();
        LayerBlob blob =
            new LayerBlob(in, input.what(), input.blob(), input.size(), this::arrived)) {
      LayerUnpacker.Unpacked unpacked =
          LayerUnpacker.unpack(blob, input.what(), input.diffId(), directory);
      return new LayerRecord(
          input.diffId(),
          directory.getFileName().toString(),
          unpacked.bytes(),
          unpacked.inodes(),
          unpacked.unsaid());
    }
  }

  private void arrived(long bytes) {
    stopIfAbandoned();
    boolean all = bytes == input.size();
    if (all || bytes - reported >= PROGRESS_STEP) {
      reported = bytes;
      report(all ? State.UNPACKING : State.DOWNLOADING, bytes);
    }
  }

  private void stopIfAbandoned() {
    if (abandoned) {
      throw new PeapodException(Kind.DEADLINE_EXCEEDED, input.what() + " was given up");
    }
  }

  private void report(State state, long bytes) {
    LayerProgress progress =
        new LayerProgress(input.shownDigest(), state, bytes, Math.max(0, input.size()));
    last = progress;
    listeners.forEach(listener -> listener.progress(progress));
  }

  private void failed(PeapodException e) {
    discard();
    result.completeExceptionally(e);
  }

  private void discard() {
    Disk.discard(directory);
  }
}
