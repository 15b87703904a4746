package dev.peapod.cni.plugin;

import dev.peapod.cni.PortMapping;
import dev.peapod.cni.host.PodNamespace;
import dev.peapod.cni.spec.CniResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a plugin is called with.
///
/// @param config the plugin's configuration
/// @param sandboxId the sandbox (the specification's container id)
/// @param interfaceName the name of the pod's interface
/// @param netns the file of the pod's network namespace; may be gone in a delete
/// @param pod the handle on that namespace; there in an add and in a check
/// @param args `CNI_ARGS`: `KEY=VALUE`, separated by semicolons
/// @param previous in an add, the result of the plugins before; else, the result of the whole list
///     if it was reached
/// @param portMappings the host ports that the runtime asks for, if the plugin takes them
/// @param linksGo in a delete: the namespace is about to go and takes its links with it, so they
///     are not deleted one by one
public record PluginCall(
    PluginConfig config,
    String sandboxId,
    String interfaceName,
    Optional<Path> netns,
    Optional<PodNamespace> pod,
    String args,
    Optional<CniResult> previous,
    List<PortMapping> portMappings,
    boolean linksGo) {
  /// The handle on the pod's namespace, where there must be one.
  public PodNamespace requirePod() {
    return pod.orElseThrow(() -> new IllegalStateException("no namespace in this call"));
  }
}
