package dev.peapod.cri;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.error.PeapodException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a verbose status shows beyond the CRI's fields, as JSON.
final class Info {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Info() {}

  static String of(SandboxStatus sandbox) {
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("pid", sandbox.pid());
    info.put("cgroup", sandbox.cgroup());
    info.put("netns", sandbox.netns().map(Path::toString).orElse(""));
    return json(info);
  }

  static String of(ContainerStatus container) {
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("sandboxID", container.sandboxId());
    info.put("pid", container.pid());
    return json(info);
  }

  static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw PeapodException.internal("writing a verbose status failed: " + e, e);
    }
  }
}
