package dev.peapod.image;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The part of an OCI image configuration that running a container needs.
///
/// @param architecture as Go names it, such as `amd64`
/// @param variant of the architecture, such as `v8`
/// @param created as the image says it, in RFC 3339; not checked
/// @param user `name`, `uid`, `name:group` or `uid:gid`; empty if the image names none
/// @param env `NAME=value`, in order
/// @param workingDir empty if the image names none
/// @param stopSignal name or number
/// @param volumes paths inside the container
/// @param exposedPorts such as `80/tcp`
/// @param diffIds of the layers, lowest first
public record ImageConfig(
    String architecture,
    Optional<String> variant,
    Optional<String> created,
    String user,
    List<String> env,
    List<String> entrypoint,
    List<String> cmd,
    String workingDir,
    Optional<String> stopSignal,
    List<String> volumes,
    List<String> exposedPorts,
    Map<String, String> labels,
    List<Digest> diffIds) {
  public ImageConfig {
    env = List.copyOf(env);
    entrypoint = List.copyOf(entrypoint);
    cmd = List.copyOf(cmd);
    volumes = List.copyOf(volumes);
    exposedPorts = List.copyOf(exposedPorts);
    labels = Map.copyOf(labels);
    diffIds = List.copyOf(diffIds);
  }
}
