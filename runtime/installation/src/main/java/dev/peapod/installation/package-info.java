/// Lays out the installation in `target/peapod`; runs in the build, on the JDK whose run-time image is shipped.
@NullMarked
package dev.peapod.installation;

import org.jspecify.annotations.NullMarked;
