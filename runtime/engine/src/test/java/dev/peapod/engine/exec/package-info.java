@NullMarked
package dev.peapod.engine.exec;

import org.jspecify.annotations.NullMarked;
