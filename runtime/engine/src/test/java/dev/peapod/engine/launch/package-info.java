@NullMarked
package dev.peapod.engine.launch;

import org.jspecify.annotations.NullMarked;
