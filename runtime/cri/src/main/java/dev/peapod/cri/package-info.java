/// CRI v1 over the engine: requests are turned into the engine's words, answers back into the CRI's.
///
/// What the CRI has no words for (loading archives, progress of a pull) is the pod API's `Images` service.
@NullMarked
package dev.peapod.cri;

import org.jspecify.annotations.NullMarked;
