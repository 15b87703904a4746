/// What the engine writes down under its state directory, so that a daemon that comes later knows
/// all.
@NullMarked
package dev.peapod.engine.state;

import org.jspecify.annotations.NullMarked;
