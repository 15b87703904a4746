package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.node.HostFacts;
import io.fabric8.kubernetes.api.model.HostAlias;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// A pod's own files on the host: hosts file, logs, termination messages.
final class PodFiles {
  private PodFiles() {}

  /// Makes the directory of the pod's logs.
  static void prepare(PodPaths paths) {
    try {
      Files.createDirectories(paths.logs());
    } catch (IOException e) {
      throw PeapodException.internal("can not make " + paths.logs() + ": " + e.getMessage(), e);
    }
  }

  /// Writes the hosts file that all containers of the pod share.
  ///
  /// @param domain of the cluster
  static void writeHosts(Pod pod, PodPaths paths, String podIp, String domain) {
    boolean hostNetwork = SandboxConfigs.isTrue(pod.getSpec().getHostNetwork());
    StringBuilder text = new StringBuilder("# Kubernetes-managed hosts file");
    if (hostNetwork) {
      text.append(" (host network).\n").append(HostFacts.hostsFile());
    } else {
      text.append(
          """
          .
          127.0.0.1\tlocalhost
          ::1\tlocalhost ip6-localhost ip6-loopback
          fe00::0\tip6-localnet
          fe00::0\tip6-mcastprefix
          fe00::1\tip6-allnodes
          fe00::2\tip6-allrouters
          """);
      if (!podIp.isEmpty()) {
        text.append(podIp).append('\t');
        PodDns.fullName(pod, domain).ifPresent(name -> text.append(name).append('\t'));
        text.append(PodDns.hostname(pod)).append('\n');
      }
    }
    if (!pod.getSpec().getHostAliases().isEmpty()) {
      text.append("\n# Entries added by HostAliases.\n");
      for (HostAlias alias : pod.getSpec().getHostAliases()) {
        text.append(alias.getIp()).append('\t');
        text.append(String.join("\t", alias.getHostnames())).append('\n');
      }
    }
    try {
      // Written in place: running containers have this very file mounted.
      Files.writeString(paths.hosts(), text);
      Files.setPosixFilePermissions(paths.hosts(), PosixFilePermissions.fromString("rw-r--r--"));
    } catch (IOException e) {
      throw PeapodException.internal("can not write " + paths.hosts() + ": " + e.getMessage(), e);
    }
  }

  /// Makes what one new instance of a container needs.
  static void prepareContainer(PodPaths paths, String container, int attempt) {
    try {
      Files.createDirectories(paths.logs().resolve(container));
      Path message = paths.terminationMessage(container, attempt);
      Files.createDirectories(message.getParent());
      if (!Files.exists(message)) {
        Files.createFile(message);
      }
      Files.setPosixFilePermissions(message, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (IOException e) {
      throw PeapodException.internal(
          "can not make the files of container " + container + ": " + e.getMessage(), e);
    }
  }

  /// Removes logs and messages of instances that are older than the last two.
  static void forgetOldInstances(PodPaths paths, String container, int attempt) {
    for (int old = attempt - 2; old >= 0 && old > attempt - 5; old--) {
      try {
        Files.deleteIfExists(paths.log(container, old));
        Files.deleteIfExists(paths.terminationMessage(container, old));
      } catch (IOException e) {
        // They go with the pod.
      }
    }
  }
}
