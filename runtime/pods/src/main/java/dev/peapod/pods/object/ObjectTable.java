package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Documents for people: rows of a table, and at length. A secret's values are never shown.
public final class ObjectTable {
  private ObjectTable() {}

  /// The titles between NAME and AGE.
  public static List<String> columns(ObjectKind kind) {
    return switch (kind) {
      case CONFIG_MAP -> List.of("DATA");
      case SECRET -> List.of("TYPE", "DATA");
      case CLAIM -> List.of("STATUS", "CAPACITY", "ACCESS MODES");
      case SERVICE -> ServiceTable.COLUMNS;
      case REPLICA_SET, DEPLOYMENT, DAEMON_SET, JOB, CRON_JOB -> WorkloadTable.columns(kind);
    };
  }

  /// A row's cells below [#columns(ObjectKind)].
  public static List<String> cells(HasMetadata object, Instant now) {
    return switch (object) {
      case ConfigMap map ->
          List.of(Integer.toString(size(map.getData()) + size(map.getBinaryData())));
      case Secret secret -> List.of(secret.getType(), Integer.toString(size(secret.getData())));
      case PersistentVolumeClaim claim ->
          List.of(
              claim.getStatus() == null ? "" : claim.getStatus().getPhase(),
              capacity(claim),
              String.join(
                  ",", claim.getSpec().getAccessModes().stream().map(ObjectTable::mode).toList()));
      case Service service -> ServiceTable.cells(service);
      default -> WorkloadTable.cells(object, now);
    };
  }

  /// The titles after AGE of a wide table.
  public static List<String> wideColumns(ObjectKind kind) {
    return kind == ObjectKind.SERVICE
        ? ServiceTable.WIDE_COLUMNS
        : WorkloadTable.wideColumns(kind);
  }

  /// A row's cells below [#wideColumns].
  public static List<String> wideCells(HasMetadata object) {
    return object instanceof Service service
        ? ServiceTable.wideCells(service)
        : WorkloadTable.wideCells(object);
  }

  /// A document at length, as `kubectl describe` lays it out.
  public static String description(HasMetadata object, Instant now) {
    StringBuilder out = new StringBuilder();
    out.append("Name:         ").append(object.getMetadata().getName()).append('\n');
    out.append("Namespace:    ").append(object.getMetadata().getNamespace()).append('\n');
    out.append("Labels:       ").append(map(object.getMetadata().getLabels())).append('\n');
    out.append("Annotations:  ").append(map(object.getMetadata().getAnnotations())).append('\n');
    switch (object) {
      case ConfigMap config -> {
        out.append("\nData\n====\n");
        sorted(config.getData())
            .forEach(
                (key, value) -> out.append(key).append(":\n----\n").append(value).append("\n\n"));
        out.append("\nBinaryData\n====\n");
        sorted(config.getBinaryData()).forEach((key, value) -> bytes(out, key, value));
      }
      case Secret secret -> {
        out.append("\nType:  ").append(secret.getType()).append("\n\nData\n====\n");
        sorted(secret.getData()).forEach((key, value) -> bytes(out, key, value));
      }
      case PersistentVolumeClaim claim -> {
        List<String> cells = cells(claim, now);
        out.append("Status:       ").append(cells.get(0)).append('\n');
        out.append("Capacity:     ").append(cells.get(1)).append('\n');
        out.append("Access Modes: ").append(cells.get(2)).append('\n');
      }
      case Service service -> ServiceTable.describe(out, service);
      default -> WorkloadDescription.write(out, object, now);
    }
    return out.toString();
  }

  private static void bytes(StringBuilder out, String key, String base64) {
    int length = Base64.getDecoder().decode(base64.getBytes(StandardCharsets.US_ASCII)).length;
    out.append(key).append(":  ").append(length).append(" bytes\n");
  }

  private static String mode(String mode) {
    return switch (mode) {
      case "ReadWriteOnce" -> "RWO";
      case "ReadOnlyMany" -> "ROX";
      case "ReadWriteMany" -> "RWX";
      default -> "RWOP";
    };
  }

  private static String capacity(PersistentVolumeClaim claim) {
    Quantity storage = claim.getSpec().getResources().getRequests().get("storage");
    return storage == null
        ? ""
        : storage.getAmount() + (storage.getFormat() == null ? "" : storage.getFormat());
  }

  private static int size(@Nullable Map<String, String> map) {
    return map == null ? 0 : map.size();
  }

  private static Map<String, String> sorted(@Nullable Map<String, String> map) {
    return map == null ? Map.of() : new TreeMap<>(map);
  }

  private static String map(@Nullable Map<String, String> map) {
    if (map == null || map.isEmpty()) {
      return "<none>";
    }
    StringBuilder text = new StringBuilder();
    new TreeMap<>(map)
        .forEach(
            (key, value) ->
                text.append(text.isEmpty() ? "" : "\n              ")
                    .append(key)
                    .append('=')
                    .append(value));
    return text.toString();
  }
}
