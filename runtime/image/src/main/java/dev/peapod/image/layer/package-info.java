/// Layers: reading tar, decompressing, unpacking into a directory that overlayfs can use.
@NullMarked
package dev.peapod.image.layer;

import org.jspecify.annotations.NullMarked;
