package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.object.ObjectStore;
import java.time.InstantSource;

/// What all workers use.
///
/// @param look has the runtime asked at once what runs
public record Shared(
    Cri cri,
    PodsConfig config,
    EventLog events,
    PodBoard board,
    PodStore store,
    ObjectStore objects,
    UserRanges users,
    InstantSource clock,
    Runnable look) {}
