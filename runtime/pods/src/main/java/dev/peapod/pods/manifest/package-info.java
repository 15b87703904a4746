/// Kubernetes manifests: strict reading, defaults, validation. Text in, checked pods or errors with
/// lines out.
@NullMarked
package dev.peapod.pods.manifest;

import org.jspecify.annotations.NullMarked;
