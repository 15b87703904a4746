/// Between the machine's cgroups and launch plans.
@NullMarked
package dev.peapod.engine.cgroup;

import org.jspecify.annotations.NullMarked;
