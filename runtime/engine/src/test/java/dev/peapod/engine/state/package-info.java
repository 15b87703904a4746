@NullMarked
package dev.peapod.engine.state;

import org.jspecify.annotations.NullMarked;
