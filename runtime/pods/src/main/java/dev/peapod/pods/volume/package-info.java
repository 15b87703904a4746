/// The volumes of pods: made on the host, filled from documents, and shown to containers as paths.
@NullMarked
package dev.peapod.pods.volume;

import org.jspecify.annotations.NullMarked;
