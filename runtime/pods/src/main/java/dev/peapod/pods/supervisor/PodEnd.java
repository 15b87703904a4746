package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How a pod comes to its end: what runs of a finished one is stopped, and a deleted one is removed, each on a thread
/// of its own that tells the worker. Touched by the pod's worker alone.
final class PodEnd {
  private static final Duration RETRY = Duration.ofMillis(200);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  private final Shared shared;
  private final PodKey key;
  private final Consumer<Message> worker;

  private @Nullable Thread stopping;
  private boolean removing;
  private String problem = "";
  private volatile long grace;
  private volatile boolean closed;

  PodEnd(Shared shared, PodKey key, Consumer<Message> worker) {
    this.shared = shared;
    this.key = key;
    this.worker = worker;
  }

  /// Whether the pod is being removed.
  boolean isRemoving() {
    return removing;
  }

  /// Why it could not be removed yet; empty if there is nothing to say.
  String problem() {
    return problem;
  }

  void problem(String why) {
    problem = why;
  }

  /// Whether what runs of a finished pod is being stopped.
  boolean isStopping() {
    return stopping != null;
  }

  /// Lets a stop that has ended without the desired end be tried again.
  void look() {
    if (stopping != null && !stopping.isAlive()) {
      stopping = null;
    }
  }

  /// Stops what runs of a finished pod.
  ///
  /// @param operations what is interrupted already and waited for before
  void stop(Pod last, List<Thread> operations) {
    stopping =
        Thread.ofVirtual()
            .name("end " + key)
            .start(
                () -> {
                  try {
                    join(operations);
                    PodStop.run(shared, last, () -> ContainerKeeper.grace(last));
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  } catch (RuntimeException e) {
                    shared.events().warning(key, "", "FailedKillPod", String.valueOf(e));
                  }
                  worker.accept(new Message.Ended());
                });
  }

  /// Whether a time for the end makes it quicker than the one that was given before.
  boolean isNews(long seconds) {
    return !removing || seconds < grace;
  }

  /// Gives the containers so many seconds from now on.
  void within(long seconds) {
    grace = seconds;
  }

  /// Removes the pod, until that is done or the daemon ends; the next one goes on with it.
  ///
  /// @param operations as for [#stop]
  void remove(Pod last, List<Thread> operations) {
    removing = true;
    List<Thread> before = new ArrayList<>(operations);
    if (stopping != null) {
      stopping.interrupt();
      before.add(stopping);
    }
    Thread.ofVirtual().name("remove " + key).start(() -> removeAgainAndAgain(last, before));
  }

  private void removeAgainAndAgain(Pod last, List<Thread> operations) {
    Duration pause = RETRY;
    try {
      join(operations);
      while (!closed) {
        try {
          PodRemoval.run(shared, last, () -> grace);
          worker.accept(new Message.Removed(""));
          return;
        } catch (IOException | RuntimeException e) {
          String why = "can not remove the pod: " + e.getMessage();
          shared.events().warning(key, "", "FailedKillPod", why);
          worker.accept(new Message.Removed(why));
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : pause;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void join(List<Thread> operations) throws InterruptedException {
    for (Thread operation : operations) {
      operation.join();
    }
  }

  void close() {
    closed = true;
  }
}
