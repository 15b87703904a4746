@NullMarked
package dev.peapod.image;

import org.jspecify.annotations.NullMarked;
