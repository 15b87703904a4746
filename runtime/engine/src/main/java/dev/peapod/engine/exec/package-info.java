/// Commands that are run in containers.
@NullMarked
package dev.peapod.engine.exec;

import org.jspecify.annotations.NullMarked;
