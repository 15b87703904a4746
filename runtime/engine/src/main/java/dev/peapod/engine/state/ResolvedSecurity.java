package dev.peapod.engine.state;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a container's security was made of when it was created, so that it starts, and commands run
/// in it, by the same rules later.
///
/// @param seccompProfile the text of the seccomp profile, where it is the machine owner's
/// @param label of its processes, where a security module is to give them one
/// @param fileLabel what SELinux calls its files; `""` where nothing is asked for
/// @param devices those that the request names
public record ResolvedSecurity(
    @Nullable String seccompProfile,
    @Nullable ExecLabel label,
    String fileLabel,
    List<ResolvedDevice> devices) {
  /// Nothing beyond the request.
  public static final ResolvedSecurity NONE = new ResolvedSecurity(null, null, "", List.of());

  public ResolvedSecurity {
    // None in the state file of a daemon that knew none.
    fileLabel = fileLabel == null ? "" : fileLabel;
    devices = List.copyOf(devices);
  }
}
