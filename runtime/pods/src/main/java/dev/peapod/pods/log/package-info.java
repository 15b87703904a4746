/// Reading container logs in CRI format.
@NullMarked
package dev.peapod.pods.log;

import org.jspecify.annotations.NullMarked;
