@NullMarked
package dev.peapod.engine.container;

import org.jspecify.annotations.NullMarked;
