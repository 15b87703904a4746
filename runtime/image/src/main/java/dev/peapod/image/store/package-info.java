/// What is on disk: the index of layers, images and references; layers in the making; leases.
@NullMarked
package dev.peapod.image.store;

import org.jspecify.annotations.NullMarked;
