/// Images: registry client, content store, unpacking, overlay snapshots.
@NullMarked
package dev.peapod.image;

import org.jspecify.annotations.NullMarked;
