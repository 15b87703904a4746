package dev.peapod.engine.model;

/// A container, as it is.
///
/// @param imageId the image's id, `sha256:...`
/// @param imageName a tag of the image, or what the request called it
/// @param imageRef a reference of the image with its digest, or its id if it has none
/// @param createdAt nanoseconds since 1970, as are the others; 0: not yet
/// @param exitCode the exit status, or 128 + signal
/// @param reason one word: `Completed`, `Error`, `OOMKilled`, `StartError`, `MonitorLost`; or `""`
/// @param message one sentence, or `""`
/// @param logPath the log file, or `""`
/// @param stopSignal what [#spec()] or the image says, SIGTERM otherwise
/// @param pid the main process as the host sees it, 0 where it does not run
/// @param cgroup the container's cgroup, as a path below each hierarchy
public record ContainerStatus(
    String id,
    String sandboxId,
    ContainerSpec spec,
    String imageId,
    String imageName,
    String imageRef,
    ContainerState state,
    long createdAt,
    long startedAt,
    long finishedAt,
    int exitCode,
    String reason,
    String message,
    String logPath,
    UserIds user,
    int stopSignal,
    int pid,
    String cgroup) {}
