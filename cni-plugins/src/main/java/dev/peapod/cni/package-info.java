/// CNI plugins in Java.
@NullMarked
package dev.peapod.cni;

import org.jspecify.annotations.NullMarked;
