/// What containers may do: capabilities, filters of system calls, labels, devices.
@NullMarked
package dev.peapod.engine.security;

import org.jspecify.annotations.NullMarked;
