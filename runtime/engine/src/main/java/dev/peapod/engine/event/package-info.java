/// What happens to sandboxes and containers, told to those who want to know.
@NullMarked
package dev.peapod.engine.event;

import org.jspecify.annotations.NullMarked;
