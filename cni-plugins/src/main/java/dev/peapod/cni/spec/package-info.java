/// The words of the Container Network Interface, version 1.0.0 (and 0.3.1, 0.4.0, 1.1.0, whose
/// lists and results differ little): configurations, results and errors, read and written as JSON.
@NullMarked
package dev.peapod.cni.spec;

import org.jspecify.annotations.NullMarked;
