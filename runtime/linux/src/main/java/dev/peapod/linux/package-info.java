/// The Linux kernel, through JNA: one class for one facility, named after it.
///
/// Thin and typed; an errno always becomes a [KernelException] that names the call and its
/// arguments. Nothing here knows what a pod is, and nothing above this module calls JNA.
@NullMarked
package dev.peapod.linux;

import org.jspecify.annotations.NullMarked;
