package dev.peapod.pods.supervisor;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// When a pod's status is written down, from which a later daemon learns what it can not ask the runtime. Touched by the
/// pod's worker alone.
final class PodRecord {
  /// That containers run is written down for the daemon after a reboot, but no start waits for a disk. A daemon that
  /// dies before asks the runtime; a machine that does runs again what has run for less than that.
  private static final Duration SAVE_AFTER_START = Duration.ofSeconds(2);

  private final Shared shared;
  private boolean changed;
  private Optional<Instant> saveAt = Optional.empty();

  PodRecord(Shared shared) {
    this.shared = shared;
  }

  /// The status is to be written down with what is published next.
  void change() {
    changed = true;
  }

  /// @param news whether there is something to be written down
  void change(boolean news) {
    changed |= news;
  }

  /// The status is to be written down soon.
  void changeSoon() {
    saveAt = saveAt.or(() -> Optional.of(shared.clock().instant().plus(SAVE_AFTER_START)));
  }

  /// When it is due without any more news.
  Optional<Instant> saveAt() {
    return saveAt;
  }

  /// @param pod with its status
  void saveIfDue(Pod pod) {
    if (changed || saveAt.filter(at -> !shared.clock().instant().isBefore(at)).isPresent()) {
      save(pod);
    }
  }

  /// Writes down at once what was to be written down soon.
  void close(Pod pod) {
    if (changed || saveAt.isPresent()) {
      save(pod);
    }
  }

  private void save(Pod pod) {
    shared.store().saveStatus(pod, pod.getStatus());
    changed = false;
    saveAt = Optional.empty();
  }
}
