package dev.peapod.engine.exec;

import dev.peapod.engine.launch.Started;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.cgroup.Cgroup;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// The end of a process that was started beside a container's own, alone in a cgroup.
///
/// @param started the process
/// @param cgroup where it is, with all that it has started
/// @param killed how long its end may take once it was killed
/// @param late what is said of it when it was killed because its time was over
/// @param stuck what is said of it when it did not end even then
public record ProcessEnd(
    Started started, Cgroup cgroup, Duration killed, Supplier<String> late, Supplier<String> stuck) {

  /// Waits for it and answers its status as waitpid(2) gives it. Where it fails, nothing of the process is left.
  ///
  /// @param timeout after which all of it is killed; zero or less for never
  /// @throws PeapodException DEADLINE_EXCEEDED when it was killed, UNAVAILABLE when the thread is interrupted, INTERNAL when
  ///     it did not end
  public int await(Duration timeout) {
    CompletableFuture<Integer> exited = started.exited();
    try {
      if (!timeout.isPositive()) {
        return exited.get();
      }
      try {
        return exited.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        cgroup.kill();
        exited.get(killed.toMillis(), TimeUnit.MILLISECONDS);
        throw new PeapodException(Kind.DEADLINE_EXCEEDED, late.get(), e);
      }
    } catch (TimeoutException e) {
      throw new PeapodException(Kind.INTERNAL, stuck.get(), e);
    } catch (ExecutionException e) {
      cgroup.kill();
      if (e.getCause() instanceof PeapodException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      cgroup.kill();
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }
}
