package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Instant;
import java.util.Optional;

/// Compares what a kind of workload asks for with what is there, and does the next thing that is
/// missing. It keeps nothing in mind that the workload's status and its pods do not say.
interface Controller<T extends HasMetadata> {
  /// One look at one workload.
  ///
  /// @return when to look again though nothing has changed
  Optional<Instant> reconcile(T workload, Scene scene) throws InterruptedException;
}
