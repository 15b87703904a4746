package dev.peapod.engine.container;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Selinux;
import java.nio.file.Path;
import java.util.List;

/// Has a container use files of the host's that SELinux would keep from it: they get the label of its own files. Where the
/// container has no label, which it can only have where SELinux is on, there is nothing to do.
final class VolumeLabels {
  private static final List<String> POD_FILES = List.of("hosts", "hostname", "resolv.conf");

  private VolumeLabels() {}

  /// Labels the pod's files, and the mounts whose request says so.
  ///
  /// @param label of the container's own files; `""` if it has none
  /// @param podFiles the directory of the pod's files
  /// @throws PeapodException INVALID naming the mount, if what it shows belongs to the whole machine
  static void give(String label, ContainerSpec spec, Path podFiles) {
    if (label.isEmpty()) {
      return;
    }
    POD_FILES.forEach(file -> give(label, podFiles.resolve(file), title(spec, "the pod's " + file)));
    for (int i = 0; i < spec.mounts().size(); i++) {
      MountSpec mount = spec.mounts().get(i);
      if (mount.relabel() && mount.image() == null) {
        String field = "mounts[" + i + "].selinux_relabel";
        give(label, Path.of(mount.hostPath()), title(spec, field));
      }
    }
  }

  private static String title(ContainerSpec spec, String what) {
    return "container \"" + spec.name() + "\": " + what + ": ";
  }

  private static void give(String label, Path path, String title) {
    try {
      if (!Selinux.relabel(path, label)) {
        throw PeapodException.invalid(
            title + "\"" + path + "\" is the whole machine's and gets no container's label");
      }
    } catch (KernelException e) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          title + "\"" + path + "\" can not be labelled: " + e.getMessage(),
          e);
    }
  }
}
