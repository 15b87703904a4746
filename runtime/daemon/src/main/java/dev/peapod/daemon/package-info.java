/// peapodd: configuration, wiring, sockets.
@NullMarked
package dev.peapod.daemon;

import org.jspecify.annotations.NullMarked;
