/// Launch plans: what `joiner` is told to do, the bytes of it, and the client of the spawner.
///
/// All policy is in Java; joiner only executes. The bytes are described in `docs/launch-plan.md`.
@NullMarked
package dev.peapod.engine.launch;

import org.jspecify.annotations.NullMarked;
