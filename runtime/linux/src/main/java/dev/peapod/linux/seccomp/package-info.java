/// Filters of system calls: their description, and the system's libseccomp that compiles them.
@NullMarked
package dev.peapod.linux.seccomp;

import org.jspecify.annotations.NullMarked;
