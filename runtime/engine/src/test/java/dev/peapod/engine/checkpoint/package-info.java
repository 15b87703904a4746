@NullMarked
package dev.peapod.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
