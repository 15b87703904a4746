package dev.peapod.engine.state;

import dev.peapod.engine.model.UserIds;
import java.util.List;
import java.util.Objects;

/// What a container's first process is, of request and image together.
///
/// @param stopSignal the number of the signal that asks it to end
public record ResolvedProcess(
    List<String> argv, List<String> env, String workingDir, UserIds user, int stopSignal) {
  public ResolvedProcess {
    argv = List.copyOf(argv);
    env = List.copyOf(env);
    Objects.requireNonNull(workingDir, "workingDir");
    Objects.requireNonNull(user, "user");
  }
}
