@NullMarked
package dev.peapod.proto;

import org.jspecify.annotations.NullMarked;
