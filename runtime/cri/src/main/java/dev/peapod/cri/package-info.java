/// CRI v1 over the engine.
@NullMarked
package dev.peapod.cri;

import org.jspecify.annotations.NullMarked;
