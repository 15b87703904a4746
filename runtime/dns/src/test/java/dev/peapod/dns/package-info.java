@NullMarked
package dev.peapod.dns;

import org.jspecify.annotations.NullMarked;
