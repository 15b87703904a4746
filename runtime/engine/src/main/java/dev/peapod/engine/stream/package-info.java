/// Talking with processes while they run: exec and attach.
@NullMarked
package dev.peapod.engine.stream;

import org.jspecify.annotations.NullMarked;
