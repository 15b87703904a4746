package dev.peapod.cri.streaming;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How a command ended, as Kubernetes' `Status` in JSON, which remote commands of version 4 and later
/// are answered with.
final class CommandStatus {
  private static final ObjectMapper JSON = new ObjectMapper();

  private CommandStatus() {}

  static byte[] exited(int code) {
    if (code == 0) {
      return status(Map.of("status", "Success"));
    }
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("status", "Failure");
    status.put("message", "command terminated with exit code " + code);
    status.put("reason", "NonZeroExitCode");
    status.put(
        "details",
        Map.of("causes", List.of(Map.of("reason", "ExitCode", "message", Integer.toString(code)))));
    return status(status);
  }

  static byte[] failed(String message) {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("status", "Failure");
    status.put("message", message);
    status.put("reason", "InternalError");
    status.put("code", 500);
    return status(status);
  }

  private static byte[] status(Map<String, Object> fields) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("metadata", Map.of());
    all.putAll(fields);
    try {
      return JSON.writeValueAsString(all).getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
