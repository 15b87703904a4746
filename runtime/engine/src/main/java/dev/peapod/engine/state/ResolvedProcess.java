package dev.peapod.engine.state;

import dev.peapod.engine.model.UserIds;
import java.util.ArrayList;
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

  /// The same on a terminal: programs learn its kind where the container says nothing of it.
  public ResolvedProcess onTerminal() {
    if (env.stream().anyMatch(variable -> variable.startsWith("TERM="))) {
      return this;
    }
    List<String> more = new ArrayList<>(env);
    more.add("TERM=xterm");
    return new ResolvedProcess(argv, more, workingDir, user, stopSignal);
  }
}
