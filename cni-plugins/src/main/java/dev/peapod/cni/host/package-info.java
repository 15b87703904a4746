/// The two ends of a pod's network as the plugins see them: the host's network namespace and the
/// pod's.
@NullMarked
package dev.peapod.cni.host;

import org.jspecify.annotations.NullMarked;
