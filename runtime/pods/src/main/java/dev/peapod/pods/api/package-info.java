/// The gRPC services of peapod.v1 that pods are asked for with.
@NullMarked
package dev.peapod.pods.api;

import org.jspecify.annotations.NullMarked;
