/// Host ports that are held open by small native processes.
@NullMarked
package dev.peapod.engine.port;

import org.jspecify.annotations.NullMarked;
