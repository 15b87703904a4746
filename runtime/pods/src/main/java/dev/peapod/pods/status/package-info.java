/// Pods as Kubernetes reports them: phase, conditions, container states, tables and descriptions.
@NullMarked
package dev.peapod.pods.status;

import org.jspecify.annotations.NullMarked;
