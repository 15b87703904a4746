/// Containers: from request and image to a running process, and back to nothing.
@NullMarked
package dev.peapod.engine.container;

import org.jspecify.annotations.NullMarked;
