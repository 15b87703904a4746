package dev.peapod.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.state.ResolvedProcess;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The documents of an archive that say what it is of, as `checkpointctl` reads them. Nothing is restored by them.
final class Descriptions {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String ANNOTATION = "io.kubernetes.cri.";

  private Descriptions() {}

  /// `config.dump`.
  static byte[] config(Container container, Instant now) {
    ContainerStatus status = container.status();
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("id", status.id());
    config.put("name", status.spec().name());
    config.put("rootfsImage", status.imageName());
    config.put("rootfsImageRef", status.imageRef());
    config.put("rootfsImageName", status.imageName());
    config.put("runtime", "peapod");
    config.put("createdTime", time(status.createdAt()));
    config.put("checkpointedTime", now.toString());
    return bytes(config);
  }

  /// `spec.dump`: what of the OCI's runtime specification tells people whose container it was.
  static byte[] spec(Container container) {
    ResolvedProcess process = container.process();
    SandboxSpec pod = container.sandbox().spec();
    Map<String, Object> user =
        Map.of("uid", process.user().uid(), "gid", process.user().gid());
    Map<String, Object> described = new LinkedHashMap<>();
    described.put("user", user);
    described.put("args", process.argv());
    described.put("cwd", process.workingDir());
    Map<String, String> annotations = new LinkedHashMap<>();
    annotations.put(ANNOTATION + "container-type", "container");
    annotations.put(ANNOTATION + "container-name", container.status().spec().name());
    annotations.put(ANNOTATION + "image-name", container.status().imageName());
    annotations.put(ANNOTATION + "sandbox-id", container.sandbox().id());
    annotations.put(ANNOTATION + "sandbox-name", pod.metadata().name());
    annotations.put(ANNOTATION + "sandbox-namespace", pod.metadata().namespace());
    annotations.put(ANNOTATION + "sandbox-uid", pod.metadata().uid());
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("ociVersion", "1.0.0");
    spec.put("process", described);
    spec.put("hostname", pod.hostname());
    spec.put("annotations", annotations);
    return bytes(spec);
  }

  /// `pod.dump`, of a whole pod.
  static byte[] pod(SandboxSpec pod, List<String> containers, Instant now) {
    Map<String, Object> described = new LinkedHashMap<>();
    described.put("name", pod.metadata().name());
    described.put("namespace", pod.metadata().namespace());
    described.put("uid", pod.metadata().uid());
    described.put("labels", pod.labels());
    described.put("annotations", pod.annotations());
    described.put("containers", new ArrayList<>(containers));
    described.put("checkpointedTime", now.toString());
    return bytes(described);
  }

  /// Strings as a JSON array.
  static byte[] array(List<String> texts) {
    return bytes(texts);
  }

  private static String time(long nanos) {
    return Instant.ofEpochSecond(nanos / 1_000_000_000, nanos % 1_000_000_000).toString();
  }

  private static byte[] bytes(Object document) {
    try {
      return (JSON.writeValueAsString(document) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
