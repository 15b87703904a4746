package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The pods as they were last published, and the latest changes for those who watch. What is
/// published must not be changed any more. Thread-safe.
public final class PodBoard {
  private static final int KEPT_CHANGES = 2_000;

  /// How a pod changed.
  public enum ChangeType {
    ADDED,
    MODIFIED,
    DELETED
  }

  /// A pod at one revision.
  ///
  /// @param message why it does not run, for people; empty if there is nothing to say
  public record Entry(Pod pod, String message, long revision) {}

  /// One change; a deleted pod is shown as it was last.
  public record Change(ChangeType type, Entry entry) {
    public long revision() {
      return entry.revision;
    }
  }

  /// All pods at one revision.
  public record Listing(List<Entry> entries, long revision) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final TreeMap<PodKey, Entry> pods = new TreeMap<>();
  private final Deque<Change> changes = new ArrayDeque<>();
  private long revision;
  private long forgotten;
  private volatile Runnable listener = () -> {};

  /// @param start the first revision; larger than any of an earlier daemon, so that a watcher's old
  /// revision is recognised
  public PodBoard(long start) {
    revision = start;
    forgotten = start;
  }

  /// Publishes a pod as it is now.
  void publish(Pod pod, String message) {
    lock.lock();
    try {
      PodKey key = PodKey.of(pod);
      Entry before = pods.get(key);
      if (before != null && before.message.equals(message) && before.pod.equals(pod)) {
        return;
      }
      Entry entry = new Entry(pod, message, ++revision);
      pods.put(key, entry);
      record(new Change(before == null ? ChangeType.ADDED : ChangeType.MODIFIED, entry));
    } finally {
      lock.unlock();
    }
  }

  void remove(PodKey key) {
    lock.lock();
    try {
      Entry before = pods.remove(key);
      if (before != null) {
        record(new Change(ChangeType.DELETED, new Entry(before.pod, before.message, ++revision)));
      }
    } finally {
      lock.unlock();
    }
  }

  private void record(Change change) {
    changes.addLast(change);
    if (changes.size() > KEPT_CHANGES) {
      forgotten = changes.removeFirst().revision();
    }
    changed.signalAll();
    listener.run();
  }

  /// Has somebody told, on the thread that made it, of every change; he must not take long.
  public void onChange(Runnable told) {
    listener = told;
  }

  public Optional<Entry> get(PodKey key) {
    lock.lock();
    try {
      return Optional.ofNullable(pods.get(key));
    } finally {
      lock.unlock();
    }
  }

  public Listing list() {
    lock.lock();
    try {
      return new Listing(List.copyOf(pods.values()), revision);
    } finally {
      lock.unlock();
    }
  }

  public long revision() {
    lock.lock();
    try {
      return revision;
    } finally {
      lock.unlock();
    }
  }

  /// The changes after a revision; waits for one if there is none, and answers none if the time is
  /// over.
  ///
  /// @throws PeapodException INVALID if the revision is no longer kept or was never given
  public List<Change> await(long after, long millis) throws InterruptedException {
    long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    lock.lock();
    try {
      while (after == revision && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      if (after < forgotten || after > revision) {
        throw PeapodException.invalid("too old revision: " + after + " (" + forgotten + ")");
      }
      List<Change> found = new ArrayList<>();
      for (Change change : changes) {
        if (change.revision() > after) {
          found.add(change);
        }
      }
      return found;
    } finally {
      lock.unlock();
    }
  }
}
