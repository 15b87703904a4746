@NullMarked
package dev.peapod.cni.host;

import org.jspecify.annotations.NullMarked;
