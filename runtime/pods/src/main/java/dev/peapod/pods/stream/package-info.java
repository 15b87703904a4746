/// The streams of a CRI runtime: exec, attach and port-forward by the URLs that it answers.
@NullMarked
package dev.peapod.pods.stream;

import org.jspecify.annotations.NullMarked;
