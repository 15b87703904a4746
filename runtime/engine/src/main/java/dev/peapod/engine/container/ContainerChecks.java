package dev.peapod.engine.container;

import dev.peapod.engine.cgroup.ResourceChecks;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.EnvVar;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.MountInfo;
import dev.peapod.linux.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Refuses what a container can not be.
final class ContainerChecks {
  /// Each takes a slot of the launch plan.
  private static final int MAX_MOUNTS = 200;

  private final ContainerSpec spec;

  private ContainerChecks(ContainerSpec spec) {
    this.spec = spec;
  }

  /// @throws PeapodException INVALID naming the field
  static void check(ContainerSpec spec, SandboxSpec sandbox) {
    new ContainerChecks(spec).check(sandbox);
  }

  private void check(SandboxSpec sandbox) {
    require(!spec.name().isEmpty(), "metadata.name", "is empty");
    plain("metadata.name", spec.name());
    require(spec.attempt() >= 0, "metadata.attempt", "is negative");
    require(!spec.image().isEmpty(), "image", "is empty");
    for (EnvVar variable : spec.env()) {
      require(
          !variable.name().isEmpty() && variable.name().indexOf('=') < 0,
          "envs",
          "\"" + variable.name() + "\" is not a name");
      noNul("envs", variable.name());
      noNul("envs", variable.value());
    }
    spec.command().forEach(word -> noNul("command", word));
    spec.args().forEach(word -> noNul("args", word));
    workingDir();
    logPath();
    require(spec.mounts().size() <= MAX_MOUNTS, "mounts", "are more than " + MAX_MOUNTS);
    for (int i = 0; i < spec.mounts().size(); i++) {
      mount("mounts[" + i + "]", spec.mounts().get(i));
    }
    require(spec.stopSignal() >= 0 && spec.stopSignal() <= 64, "stop_signal", "is not a signal");
    ResourceChecks.check("container \"" + spec.name() + "\"", spec.resources());
    security(spec.security(), sandbox);
  }

  private void workingDir() {
    plain("working_dir", spec.workingDir());
    String dir = spec.workingDir();
    require(dir.isEmpty() || dir.startsWith("/"), "working_dir", "\"" + dir + "\" is not absolute");
  }

  private void logPath() {
    plain("log_path", spec.logPath());
    require(!spec.logPath().startsWith("/"), "log_path", "is absolute");
    for (String part : spec.logPath().split("/")) {
      require(!part.equals(".."), "log_path", "\"" + spec.logPath() + "\" has a part \"..\"");
    }
  }

  private void mount(String field, MountSpec mount) {
    String target = mount.containerPath();
    plain(field + ".container_path", target);
    plain(field + ".host_path", mount.hostPath());
    require(
        target.startsWith("/"), field + ".container_path", "\"" + target + "\" is not absolute");
    String normal = ContainerPlan.normal(target);
    require(!normal.equals("/"), field + ".container_path", "is the root");
    require(
        !(normal + "/").startsWith("/proc/"),
        field + ".container_path",
        "\"" + target + "\" is in /proc, where nothing can be mounted");
    MountSpec.ImageVolume image = mount.image();
    if (image != null) {
      image(field, mount, image);
    } else {
      require(
          mount.hostPath().startsWith("/"),
          field + ".host_path",
          "\"" + mount.hostPath() + "\" is not absolute");
      require(
          Files.exists(Path.of(mount.hostPath())),
          field + ".host_path",
          "\"" + mount.hostPath() + "\" does not exist");
    }
    MountOptions.check(
        "container \"" + spec.name() + "\": " + field + ".mount_options", mount.options());
    if (mount.recursiveReadOnly()) {
      require(mount.readOnly(), field + ".recursive_read_only", "needs readonly");
      require(
          mount.propagation() == MountSpec.Propagation.PRIVATE,
          field + ".recursive_read_only",
          "needs private propagation");
    }
    require(
        mount.propagation() != MountSpec.Propagation.BIDIRECTIONAL || spec.security().privileged(),
        field + ".propagation",
        "PROPAGATION_BIDIRECTIONAL needs a privileged container");
    if (mount.propagation() != MountSpec.Propagation.PRIVATE) {
      propagation(field, mount);
    }
  }

  /// What is mounted later can pass only where the mount that the path is in lets it.
  private void propagation(String field, MountSpec mount) {
    boolean both = mount.propagation() == MountSpec.Propagation.BIDIRECTIONAL;
    MountInfo source = Mounts.of(Path.of(mount.hostPath()));
    require(
        source.isShared() || source.isSlave() && !both,
        field + ".propagation",
        "PROPAGATION_%s needs a shared%s mount: \"%s\" is in the one at \"%s\", which is not (mount --make-shared)"
            .formatted(
                both ? "BIDIRECTIONAL" : "HOST_TO_CONTAINER",
                both ? "" : " or slave",
                mount.hostPath(),
                source.mountPoint()));
  }

  private void image(String field, MountSpec mount, MountSpec.ImageVolume image) {
    require(!image.reference().isEmpty(), field + ".image", "is empty");
    require(mount.hostPath().isEmpty(), field + ".host_path", "is set beside image");
    require(mount.readOnly(), field + ".readonly", "has to be true for an image");
    require(
        mount.propagation() == MountSpec.Propagation.PRIVATE,
        field + ".propagation",
        "has to be private for an image");
    plain(field + ".image_sub_path", image.subPath());
    require(
        !image.subPath().startsWith("/") && !List.of(image.subPath().split("/")).contains(".."),
        field + ".image_sub_path",
        "\"" + image.subPath() + "\" is not a relative path without \"..\"");
  }

  private void security(SecuritySpec security, SandboxSpec sandbox) {
    require(
        sandbox.privileged() || !security.privileged(),
        "security_context.privileged",
        "needs a privileged sandbox");
    require(
        security.pid() != NamespaceMode.TARGET || !security.targetId().isEmpty(),
        "security_context.namespace_options.target_id",
        "is empty");
    require(
        security.pid() != NamespaceMode.NODE || sandbox.pid() == NamespaceMode.NODE,
        "security_context.namespace_options.pid",
        "can not be NODE in a sandbox that is not");
    List<String> paths = new ArrayList<>(security.maskedPaths());
    paths.addAll(security.readonlyPaths());
    for (String path : paths) {
      plain("security_context.masked_paths or readonly_paths", path);
      require(
          path.startsWith("/"),
          "security_context.masked_paths or readonly_paths",
          "\"" + path + "\" is not absolute");
    }
    plain("security_context.run_as_username", security.runAsUsername());
  }

  private void plain(String field, String text) {
    require(
        text.chars().allMatch(c -> c >= ' ' && c != 0x7f), field, "has control characters in it");
  }

  private void noNul(String field, String text) {
    require(text.indexOf('\0') < 0, field, "has a NUL character in it");
  }

  private void require(boolean holds, String field, String what) {
    if (!holds) {
      throw PeapodException.invalid("container \"" + spec.name() + "\": " + field + " " + what);
    }
  }
}
