@NullMarked
package dev.peapod.cri.streaming;

import org.jspecify.annotations.NullMarked;
