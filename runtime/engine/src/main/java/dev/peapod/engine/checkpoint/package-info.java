/// Containers saved to archives and restored from them, by CRIU.
@NullMarked
package dev.peapod.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
