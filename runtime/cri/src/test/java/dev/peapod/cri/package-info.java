@NullMarked
package dev.peapod.cri;

import org.jspecify.annotations.NullMarked;
