package dev.peapod.engine.launch;

import dev.peapod.linux.Fd;
import dev.peapod.linux.Pidfd;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// A process that a plan has started; its program has been executed.
///
/// @param process the pause, container, process or holder, now the receiver's to close
/// @param startTime of the process, in clock ticks since boot
/// @param monitorPid its monitor, 0 where there is none
/// @param monitorStartTime of the monitor, in clock ticks since boot
/// @param exited for plans of kind EXEC: the wait status as waitpid(2) gives it; fails with
///     UNAVAILABLE if the exec monitor is gone. Completed on the event loop's thread
/// @param terminal of a plan of kind EXEC that asks for one: its master, now the receiver's to close
public record Started(
    Pidfd process,
    long startTime,
    int monitorPid,
    long monitorStartTime,
    CompletableFuture<Integer> exited,
    Optional<Fd> terminal) {}
