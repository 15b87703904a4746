package dev.peapod.engine.container;

import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.state.ExitRecord;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredExit;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.linux.BootId;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.ProcessIdentity;
import dev.peapod.linux.cgroup.Cgroup;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;

/// How the engine learns that containers have ended: from the exit records of their monitors.
///
/// A notice of the directory, or a monitor's end, is only a hint to look. A monitor that is gone
/// without a record is lost: its container is killed and has exit code 255.
public final class Exits {
  private static final Logger LOG = System.getLogger(Exits.class.getName());
  private static final int KILLED = 137;
  private static final int LOST = 255;

  private final ContainerTools tools;

  Exits(ContainerTools tools) {
    this.tools = tools;
  }

  /// Begins to watch a container that runs.
  void watch(Container container) {
    container.watch(tools.loop(), () -> settleInBackground(container, true));
  }

  /// A hint that the container's record may have appeared; returns at once.
  public void hint(Container container) {
    if (container.state() == ContainerState.RUNNING) {
      settleInBackground(container, false);
    }
  }

  private void settleInBackground(Container container, boolean monitorGone) {
    tools.background().execute(() -> settle(container, monitorGone));
  }

  /// Looks for the container's exit record and ends it if it is there.
  ///
  /// @param monitorGone whether its monitor can write none any more
  void settle(Container container, boolean monitorGone) {
    if (container.state() == ContainerState.EXITED) {
      return;
    }
    Optional<ExitRecord> record;
    try {
      record = ExitRecord.read(tools.exits(), container.id());
    } catch (IOException | RuntimeException e) {
      LOG.log(
          Level.WARNING, "the exit record of container " + container.id() + " can not be read", e);
      record = Optional.empty();
    }
    if (record.isPresent()) {
      finish(container, exit(record.get(), container));
    } else if (monitorGone) {
      lost(container);
    }
  }

  private void finish(Container container, StoredExit exit) {
    if (container.ended(exit)) {
      LOG.log(Level.DEBUG, "container {0} ended with {1}", container.id(), exit.exitCode());
      removeCgroup(container);
    }
  }

  /// The cgroup is of no use any more, and removing it here takes that from the one who removes the
  /// container.
  private void removeCgroup(Container container) {
    try {
      Cgroup cgroup = tools.cgroups().open(container.cgroup());
      if (cgroup.processes().isEmpty()) {
        cgroup.remove();
      }
    } catch (RuntimeException e) {
      LOG.log(Level.DEBUG, "removing the cgroup of container " + container.id(), e);
    }
  }

  private void lost(Container container) {
    tools.cgroups().open(container.cgroup()).kill();
    StoredExit exit =
        new StoredExit(
            LOST,
            tools.now(),
            "MonitorLost",
            "its monitor ended without telling how the container did; it was killed");
    StoredContainer stored = container.stored().exited(exit);
    container.store(stored);
    tools.store().save(stored);
    LOG.log(Level.WARNING, "the monitor of container {0} is lost", container.id());
    finish(container, exit);
  }

  /// A main process that ends with 137 passes on how a child of it was killed, as shells do; but kills before that by the
  /// daemon were not the end.
  private static StoredExit exit(ExitRecord record, Container container) {
    boolean oom = record.oomKills() > 0;
    boolean oomAtTheEnd = record.oomKills() > container.oomKillsBefore();
    String reason;
    if (record.exitCode() == 0) {
      reason = "Completed";
    } else if (oomAtTheEnd && record.exitCode() == KILLED) {
      reason = "OOMKilled";
    } else {
      reason = "Error";
    }
    return new StoredExit(
        record.exitCode(),
        record.finishedAt(),
        reason,
        oom ? oomMessage(record, container.stored().spec().resources()) : "");
  }

  /// Which limit it was: the container's own if both were hit. Of limits of memory and swap together newer kernels count
  /// no hits.
  private static String oomMessage(ExitRecord record, ResourceSpec resources) {
    String what =
        record.oomKills() == 1
            ? "a process was killed for want of memory"
            : record.oomKills() + " processes were killed for want of memory";
    String limit =
        record.limitHits() > 0
            ? "the container's memory limit was hit"
            : record.podLimitHits() > 0
                ? "the pod's memory limit was hit"
                : resources.memorySwapLimit() > 0
                    ? "the container's limit of memory and swap was hit, or one above its pod"
                    : "no limit of the container or its pod was hit, but one above them or the machine's";
    return what + ": " + limit;
  }

  /// Finds out how a container of a daemon before this one is, and watches it if it runs.
  void adopt(Container container) {
    StoredContainer stored = container.stored();
    StoredExit known = stored.exit();
    if (known != null) {
      container.ended(known);
      return;
    }
    StoredProcess main = stored.main();
    StoredProcess monitor = stored.monitor();
    if (main == null || monitor == null) {
      adoptUnstarted(container);
      return;
    }
    Optional<Pidfd> watched = open(monitor);
    if (watched.isEmpty()) {
      settle(container, true);
      return;
    }
    container.running(stored, open(main).orElse(null), watched.get());
    watch(container);
    settle(container, false);
  }

  /// A container that was created, and perhaps was being started when the daemon died.
  private void adoptUnstarted(Container container) {
    Cgroup cgroup = tools.cgroups().open(container.cgroup());
    boolean started = !cgroup.processes().isEmpty();
    try {
      started |= ExitRecord.read(tools.exits(), container.id()).isPresent();
    } catch (IOException e) {
      started = true;
    }
    if (started) {
      cgroup.kill();
        StoredExit exit =
          new StoredExit(
              LOST,
              tools.now(),
              "StartError",
              "the daemon ended while the container was being started");
      StoredContainer next = container.stored().exited(exit);
      container.store(next);
      tools.store().save(next);
      container.ended(exit);
    }
  }

  private static Optional<Pidfd> open(StoredProcess process) {
    return new ProcessIdentity(process.pid(), process.startTime(), BootId.current()).open();
  }
}
