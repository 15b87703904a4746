package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodsConfig;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Path;

/// Where a pod's files are.
public record PodPaths(Path directory, Path logs) {
  public static PodPaths of(PodsConfig config, Pod pod) {
    String uid = pod.getMetadata().getUid();
    String logs = pod.getMetadata().getNamespace() + "_" + pod.getMetadata().getName() + "_" + uid;
    return new PodPaths(config.podsDirectory().resolve(uid), config.logRoot().resolve(logs));
  }

  Path hosts() {
    return directory.resolve("etc-hosts");
  }

  Path terminationMessage(String container, int attempt) {
    return directory.resolve("containers").resolve(container).resolve("termination-" + attempt);
  }

  /// The log of one instance of a container.
  public Path log(String container, int attempt) {
    return logs.resolve(container).resolve(attempt + ".log");
  }
}
