package dev.peapod.cri;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.MountInfo;
import dev.peapod.linux.Mounts;
import dev.peapod.linux.Namespaces;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a verbose status shows beyond the CRI's fields, as JSON. What depends on a process is left out where there is
/// none.
final class Info {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Info() {}

  static String of(SandboxStatus sandbox, List<Operation> plan) {
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("pid", sandbox.pid());
    info.put("cgroup", sandbox.cgroup());
    info.put("netns", sandbox.netns().map(Path::toString).orElse(""));
    process(info, sandbox.pid());
    info.put("launchPlan", plan.stream().map(Info::operation).toList());
    return json(info);
  }

  static String of(ContainerStatus container, List<Operation> plan) {
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("sandboxID", container.sandboxId());
    info.put("pid", container.pid());
    info.put("cgroup", container.cgroup());
    process(info, container.pid());
    info.put("launchPlan", plan.stream().map(Info::operation).toList());
    return json(info);
  }

  private static void process(Map<String, Object> info, int pid) {
    if (pid != 0) {
      info.put("namespaces", Namespaces.names(pid));
      info.put("mounts", mounts(pid));
    }
  }

  private static List<Map<String, Object>> mounts(int pid) {
    try {
      return Mounts.of(pid).stream().map(Info::mount).toList();
    } catch (KernelException e) {
      return List.of();
    }
  }

  private static Map<String, Object> mount(MountInfo mount) {
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("path", mount.mountPoint().toString());
    shown.put("type", mount.type());
    shown.put("source", mount.source());
    shown.put("root", mount.root());
    shown.put("options", mount.options());
    if (!mount.propagation().isEmpty()) {
      shown.put("propagation", mount.propagation());
    }
    return shown;
  }

  /// Its name as `docs/launch-plan.md` has it, its stage, and its arguments.
  private static Map<String, Object> operation(Operation operation) {
    Map<String, Object> shown = new LinkedHashMap<>();
    Class<?> type = operation.getClass();
    shown.put("op", type.getSimpleName().replaceAll("(?<=.)(?=[A-Z])", "_").toUpperCase(Locale.ROOT));
    shown.put("stage", operation.stage().name().toLowerCase(Locale.ROOT));
    for (RecordComponent argument : type.getRecordComponents()) {
      if (!argument.getName().equals("stage")) {
        shown.put(argument.getName(), value(argument, operation));
      }
    }
    return shown;
  }

  private static Object value(RecordComponent argument, Operation operation) {
    try {
      Object value = argument.getAccessor().invoke(operation);
      return value instanceof byte[] text ? new String(text, StandardCharsets.UTF_8) : value;
    } catch (ReflectiveOperationException e) {
      throw PeapodException.internal("reading " + argument + " failed: " + e, e);
    }
  }

  static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw PeapodException.internal("writing a verbose status failed: " + e, e);
    }
  }
}
