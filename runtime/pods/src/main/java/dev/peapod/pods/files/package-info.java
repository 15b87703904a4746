/// Files and directories that this module keeps.
@NullMarked
package dev.peapod.pods.files;

import org.jspecify.annotations.NullMarked;
