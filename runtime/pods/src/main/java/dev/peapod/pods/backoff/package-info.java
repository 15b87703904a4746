/// How long to wait before trying again.
@NullMarked
package dev.peapod.pods.backoff;

import org.jspecify.annotations.NullMarked;
