/// Control groups: limits, counters and the end of groups of processes (cgroups(7)).
///
/// Version 1 and version 2 are two implementations of one interface, [dev.peapod.linux.cgroup.Cgroups].
@NullMarked
package dev.peapod.linux.cgroup;

import org.jspecify.annotations.NullMarked;
