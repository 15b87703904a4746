@NullMarked
package dev.peapod.image.registry;

import org.jspecify.annotations.NullMarked;
