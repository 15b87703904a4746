/// The registry client: one class an endpoint, one caller that turns HTTP into results and errors.
@NullMarked
package dev.peapod.image.registry;

import org.jspecify.annotations.NullMarked;
