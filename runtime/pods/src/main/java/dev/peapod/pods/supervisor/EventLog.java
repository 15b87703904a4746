package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.object.ObjectKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/// What happened to pods and workloads, in memory and bounded, the oldest forgotten first. The same thing
/// happening again is counted. Thread-safe.
public final class EventLog {
  private static final int MOST = 5_000;
  private static final int LONGEST_MESSAGE = 4_096;

  /// What something happened to.
  ///
  /// @param kind as a manifest calls it: `Pod`, `Deployment`
  public record Subject(String kind, String namespace, String name) {
    public static final String POD = "Pod";

    public static Subject of(PodKey pod) {
      return new Subject(POD, pod.namespace(), pod.name());
    }

    public static Subject of(ObjectKey key) {
      return new Subject(key.kind().kind(), key.namespace(), key.name());
    }
  }

  /// One event; `sequence` grows with every occurrence.
  ///
  /// @param container of a pod; empty: the pod as a whole
  public record Event(
      long sequence,
      Subject subject,
      String container,
      boolean warning,
      String reason,
      String message,
      Instant first,
      Instant last,
      int count) {}

  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition added = lock.newCondition();
  private final Deque<Event> events = new ArrayDeque<>();
  private long sequence;
  private long forgotten;

  public EventLog(InstantSource clock) {
    this.clock = clock;
    // Numbers of an earlier daemon are smaller than all of this one, so that a reader who goes on
    // from one of them misses nothing.
    this.sequence = clock.millis() * 1000;
    this.forgotten = sequence;
  }

  void normal(PodKey pod, String container, String reason, String message) {
    add(Subject.of(pod), container, false, reason, message);
  }

  void warning(PodKey pod, String container, String reason, String message) {
    add(Subject.of(pod), container, true, reason, message);
  }

  /// Something happened to a workload.
  public void normal(ObjectKey workload, String reason, String message) {
    add(Subject.of(workload), "", false, reason, message);
  }

  /// Something happened to a workload that somebody should look at.
  public void warning(ObjectKey workload, String reason, String message) {
    add(Subject.of(workload), "", true, reason, message);
  }

  private void add(
      Subject subject, String container, boolean warning, String reason, String message) {
    String text =
        message.length() > LONGEST_MESSAGE
            ? message.substring(0, LONGEST_MESSAGE) + "..."
            : message;
    Instant now = clock.instant();
    lock.lock();
    try {
      Event same = null;
      for (var i = events.descendingIterator(); i.hasNext(); ) {
        Event event = i.next();
        if (event.subject.equals(subject)
            && event.container.equals(container)
            && event.reason.equals(reason)
            && event.message.equals(text)) {
          same = event;
          i.remove();
          break;
        }
      }
      Instant first = same == null ? now : same.first;
      int count = same == null ? 1 : same.count + 1;
      events.addLast(
          new Event(++sequence, subject, container, warning, reason, text, first, now, count));
      if (events.size() > MOST) {
        forgotten = events.removeFirst().sequence;
      }
      added.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// The number of the latest event.
  public long sequence() {
    lock.lock();
    try {
      return sequence;
    } finally {
      lock.unlock();
    }
  }

  /// The events after a number, oldest first; 0 for all that are kept.
  ///
  /// @throws PeapodException INVALID if some after it are no longer kept
  public List<Event> after(long number, Predicate<Event> wanted) {
    lock.lock();
    try {
      return listed(number, wanted);
    } finally {
      lock.unlock();
    }
  }

  /// The same, after waiting for one if there is none; empty if none came in time.
  public List<Event> await(long number, Predicate<Event> wanted, long millis)
      throws InterruptedException {
    long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    lock.lock();
    try {
      List<Event> found = listed(number, wanted);
      while (found.isEmpty() && nanos > 0) {
        nanos = added.awaitNanos(nanos);
        found = listed(number, wanted);
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /// Forgets what happened to something that is gone, except a pod's removal.
  void forget(Subject subject) {
    lock.lock();
    try {
      events.removeIf(event -> event.subject.equals(subject) && !event.reason.equals("Killing"));
    } finally {
      lock.unlock();
    }
  }

  private List<Event> listed(long number, Predicate<Event> wanted) {
    if (number != 0 && number < forgotten) {
      throw PeapodException.invalid(
          "too old: events after " + number + " are no longer all kept; list them anew");
    }
    List<Event> found = new ArrayList<>();
    for (var i = events.descendingIterator(); i.hasNext(); ) {
      Event event = i.next();
      if (event.sequence <= number) {
        break;
      }
      if (wanted.test(event)) {
        found.add(event);
      }
    }
    return found.reversed();
  }
}
