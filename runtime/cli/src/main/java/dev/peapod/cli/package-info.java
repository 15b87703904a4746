/// peapod: the command-line client.
@NullMarked
package dev.peapod.cli;

import org.jspecify.annotations.NullMarked;
