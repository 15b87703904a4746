/// What pods are told of the machine that they run on.
@NullMarked
package dev.peapod.pods.node;

import org.jspecify.annotations.NullMarked;
