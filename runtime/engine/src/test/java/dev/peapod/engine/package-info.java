@NullMarked
package dev.peapod.engine;

import org.jspecify.annotations.NullMarked;
