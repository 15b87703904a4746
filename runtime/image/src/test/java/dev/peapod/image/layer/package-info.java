@NullMarked
package dev.peapod.image.layer;

import org.jspecify.annotations.NullMarked;
