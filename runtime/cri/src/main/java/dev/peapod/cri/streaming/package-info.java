/// The streaming server: exec, attach and port-forward for those who hold a ticket of the CRI.
@NullMarked
package dev.peapod.cri.streaming;

import org.jspecify.annotations.NullMarked;
