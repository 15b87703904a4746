package dev.peapod.bench;

/// What is timed: the calls of one pod's life in their order, and sums of them.
enum Call {
  RUN_POD_SANDBOX("RunPodSandbox"),
  CREATE_CONTAINER("CreateContainer"),
  START_CONTAINER("StartContainer"),
  START("**start: the three above**"),
  STOP_CONTAINER("StopContainer"),
  REMOVE_CONTAINER("RemoveContainer"),
  STOP_POD_SANDBOX("StopPodSandbox"),
  REMOVE_POD_SANDBOX("RemovePodSandbox"),
  WHOLE("**whole round**");

  private final String title;

  Call(String title) {
    this.title = title;
  }

  /// As a table shows it.
  String title() {
    return title;
  }
}
