/// Image archives: what `docker save` writes, and OCI layouts in a tar.
@NullMarked
package dev.peapod.image.archive;

import org.jspecify.annotations.NullMarked;
