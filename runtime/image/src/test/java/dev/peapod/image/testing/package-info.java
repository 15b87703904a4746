/// What several tests need: archives, image layouts, a real registry.
@NullMarked
package dev.peapod.image.testing;

import org.jspecify.annotations.NullMarked;
