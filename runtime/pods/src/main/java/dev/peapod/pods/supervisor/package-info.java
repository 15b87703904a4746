/// One serial worker for each pod, which drives a CRI runtime towards what the manifest says.
@NullMarked
package dev.peapod.pods.supervisor;

import org.jspecify.annotations.NullMarked;
