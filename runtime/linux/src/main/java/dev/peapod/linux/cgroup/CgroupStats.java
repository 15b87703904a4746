package dev.peapod.linux.cgroup;

import java.util.Optional;
import java.util.OptionalLong;

/// What a cgroup and those below it use; a figure is absent where its controller is.
///
/// @param cpuNanos processor time since the cgroup was made, nanoseconds
/// @param memoryBytes memory in use, page cache included
/// @param workingSetBytes memory in use less the page cache that can go at once
/// @param rssBytes anonymous memory
/// @param swapBytes in swap
/// @param pageFaults since the cgroup was made
/// @param majorPageFaults those that had to read from disk
/// @param cpuPressure waiting for a processor; only cgroup2 hierarchies have it, as the other two
public record CgroupStats(
    OptionalLong cpuNanos,
    OptionalLong memoryBytes,
    OptionalLong workingSetBytes,
    OptionalLong rssBytes,
    OptionalLong swapBytes,
    OptionalLong pageFaults,
    OptionalLong majorPageFaults,
    Optional<Pressure> cpuPressure,
    Optional<Pressure> memoryPressure,
    Optional<Pressure> ioPressure) {}
