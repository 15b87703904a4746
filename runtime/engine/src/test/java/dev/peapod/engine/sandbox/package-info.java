@NullMarked
package dev.peapod.engine.sandbox;

import org.jspecify.annotations.NullMarked;
