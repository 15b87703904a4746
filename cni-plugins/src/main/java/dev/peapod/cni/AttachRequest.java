package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/// Asks for a sandbox to be given its network.
///
/// @param sandboxId names the sandbox in all that is made for it: letters, digits, `_`, `.` and
///     `-`, beginning with a letter or digit
/// @param namespace the pod's Kubernetes namespace
/// @param name the pod's name
/// @param uid the pod's uid, or `""`
/// @param netnsPath a file that stands for the sandbox's network namespace, such as its pin
/// @param portMappings the host ports that lead to the pod
public record AttachRequest(
    String sandboxId,
    String namespace,
    String name,
    String uid,
    Path netnsPath,
    List<PortMapping> portMappings) {
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

  /// @throws PeapodException INVALID if the id is not of that form
  public AttachRequest {
    requireId(sandboxId);
    portMappings = List.copyOf(portMappings);
  }

  static void requireId(String sandboxId) {
    if (!ID.matcher(sandboxId).matches()) {
      throw PeapodException.invalid("sandbox id \"" + sandboxId + "\" is not a valid id");
    }
  }
}
