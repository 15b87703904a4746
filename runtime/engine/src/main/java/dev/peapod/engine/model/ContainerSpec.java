package dev.peapod.engine.model;

import java.util.List;
import java.util.Map;

/// A container, as asked for.
///
/// @param attempt how often it was made anew, from 0
/// @param image a reference, an image's id or its beginning
/// @param userSpecifiedImage what the user's manifest says, or `""`; only handed back
/// @param command instead of the image's entrypoint
/// @param args instead of the image's cmd
/// @param workingDir instead of the image's, or `""`
/// @param logPath relative to the sandbox's log directory, or `""` for no log
/// @param stopSignal a signal's number instead of the image's, or 0
public record ContainerSpec(
    String name,
    int attempt,
    String image,
    String userSpecifiedImage,
    List<String> command,
    List<String> args,
    String workingDir,
    List<EnvVar> env,
    List<MountSpec> mounts,
    List<DeviceSpec> devices,
    Map<String, String> labels,
    Map<String, String> annotations,
    String logPath,
    boolean stdin,
    boolean stdinOnce,
    boolean tty,
    ResourceSpec resources,
    SecuritySpec security,
    int stopSignal) {
  public ContainerSpec {
    command = List.copyOf(command);
    args = List.copyOf(args);
    env = List.copyOf(env);
    mounts = List.copyOf(mounts);
    devices = List.copyOf(devices);
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
  }

  /// The same with other resources.
  public ContainerSpec with(ResourceSpec changed) {
    return new ContainerSpec(
        name,
        attempt,
        image,
        userSpecifiedImage,
        command,
        args,
        workingDir,
        env,
        mounts,
        devices,
        labels,
        annotations,
        logPath,
        stdin,
        stdinOnce,
        tty,
        changed,
        security,
        stopSignal);
  }

  /// The same with other mounts.
  public ContainerSpec withMounts(List<MountSpec> others) {
    return new ContainerSpec(
        name,
        attempt,
        image,
        userSpecifiedImage,
        command,
        args,
        workingDir,
        env,
        others,
        devices,
        labels,
        annotations,
        logPath,
        stdin,
        stdinOnce,
        tty,
        resources,
        security,
        stopSignal);
  }

  /// A container of an image with all defaults.
  public static ContainerSpec of(String name, String image) {
    return new ContainerSpec(
        name,
        0,
        image,
        "",
        List.of(),
        List.of(),
        "",
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        name + ".log",
        false,
        false,
        false,
        ResourceSpec.NONE,
        SecuritySpec.DEFAULT,
        0);
  }
}
