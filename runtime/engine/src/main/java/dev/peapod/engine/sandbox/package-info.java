/// Sandboxes: the process that holds a pod's namespaces, and all that belongs to the pod as a
/// whole.
@NullMarked
package dev.peapod.engine.sandbox;

import org.jspecify.annotations.NullMarked;
