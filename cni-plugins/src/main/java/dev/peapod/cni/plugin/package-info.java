/// The plugins: one class each for those of ours, and one for any other, which is executed.
@NullMarked
package dev.peapod.cni.plugin;

import org.jspecify.annotations.NullMarked;
