package dev.peapod.engine.container;

import dev.peapod.engine.event.Events;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.state.NameReservations;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.cgroup.Cgroups;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.Executor;

/// What containers are made and run with.
///
/// @param exits the directory of the exit records
/// @param control the directory of the monitors' sockets
/// @param background runs what nobody waits for, and independent steps, on virtual threads
public record ContainerTools(
    EventLoop loop,
    Spawner spawner,
    Cgroups cgroups,
    ImageStore images,
    Snapshots snapshots,
    RootfsPool rootfs,
    StateStore<StoredContainer> store,
    NameReservations names,
    ContainerSecurity security,
    Path exits,
    Path control,
    Events events,
    Executor background,
    SpareTime spareTime,
    Clock clock) {
  /// The time, in nanoseconds since 1970.
  long now() {
    Instant t = clock.instant();
    return t.getEpochSecond() * 1_000_000_000L + t.getNano();
  }
}
