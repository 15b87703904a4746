@NullMarked
package dev.peapod.engine.security;

import org.jspecify.annotations.NullMarked;
