/// What containers are told: environment variables and the downward API.
@NullMarked
package dev.peapod.pods.environment;

import org.jspecify.annotations.NullMarked;
