/// The one exception family of Peapod. It lives in the lowest module so that every part can throw it.
@NullMarked
package dev.peapod.error;

import org.jspecify.annotations.NullMarked;
