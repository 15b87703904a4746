/// Tests of the whole system: the installed daemon and client, real pods, real registries. Every test ends by asserting
/// that the machine is as it was.
@NullMarked
package dev.peapod.system;

import org.jspecify.annotations.NullMarked;
