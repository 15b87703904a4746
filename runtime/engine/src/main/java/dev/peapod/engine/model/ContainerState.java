package dev.peapod.engine.model;

/// The states of a container.
///
/// ```
/// create            start                     exit record, or monitor lost
/// ------> CREATED ---------> RUNNING -----------------------------------> EXITED ---> removed
///               |                                                            ^
///               +--- start failed (StartError) ------------------------------+
/// ```
///
/// There is no way back: a container that is to run again is made anew, with a higher attempt. One
/// that was stopped before it was started stays CREATED.
public enum ContainerState {
  CREATED,
  RUNNING,
  EXITED,
  /// What the engine can not tell.
  UNKNOWN
}
