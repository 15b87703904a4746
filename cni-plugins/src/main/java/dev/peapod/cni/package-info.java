/// The network of pods: what a runtime asks of it ([Network]), the CNI types, and how a list of
/// plugins is run.
///
/// Plugins of ours (package `plugin`) run in-process with a handle on the pod's network namespace;
/// any other is executed by the CNI protocol. Both kinds can stand in one list.
@NullMarked
package dev.peapod.cni;

import org.jspecify.annotations.NullMarked;
