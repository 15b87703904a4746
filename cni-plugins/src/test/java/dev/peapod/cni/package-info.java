@NullMarked
package dev.peapod.cni;

import org.jspecify.annotations.NullMarked;
