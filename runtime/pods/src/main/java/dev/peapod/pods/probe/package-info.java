/// Liveness, readiness and startup probes: HTTP, TCP and commands, with kubelet's thresholds.
@NullMarked
package dev.peapod.pods.probe;

import org.jspecify.annotations.NullMarked;
