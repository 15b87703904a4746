package dev.peapod.pods.manifest;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectKind;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Every field of the Kubernetes API's documents, and whether this version acts on it: what is
/// written here is what [Schema] does.
public final class FieldTable {
  private static final String GAP = "  ";

  private FieldTable() {}

  /// The whole of it as a page of documentation.
  public static String page() {
    StringBuilder out =
        new StringBuilder(
            """
            # The fields of manifests

            This page is generated from the code that reads manifests (a test fails when it is stale), and has every field of
            the Kubernetes API's `v1` Pod, ConfigMap, Secret, PersistentVolumeClaim and Service, `apps/v1` Deployment,
            ReplicaSet and DaemonSet, and `batch/v1` Job and CronJob. A field that is not supported is refused by name with the reason given
            here, never ignored. What a server fills in (`status`, `metadata.uid`, ...) is accepted and dropped, so that the
            output of `get -o yaml` can be applied.
            """);
    Set<Class<?>> types = new LinkedHashSet<>();
    collect(Pod.class, types);
    for (ObjectKind kind : ObjectKind.values()) {
      collect(kind.type(), types);
    }
    for (Class<?> type : types) {
      out.append("\n## ")
          .append(type.getSimpleName())
          .append("\n\n| field | type | |\n| --- | --- | --- |\n");
      Schema.fields(type)
          .forEach(
              (name, fieldType) ->
                  out.append("| ")
                      .append(name)
                      .append(" | ")
                      .append(word(fieldType))
                      .append(" | ")
                      .append(state(type, name))
                      .append(" |\n"));
    }
    return out.toString();
  }

  /// A field's type and what is below it, for people.
  ///
  /// @param path such as `pod.spec.containers`
  /// @throws PeapodException NOT_FOUND if there is no such field
  public static String explain(String path) {
    List<String> names = new ArrayList<>(List.of(path.split("\\.")));
    String kind = names.removeFirst();
    Class<?> root =
        List.of("pod", "pods", "po").contains(kind.toLowerCase(java.util.Locale.ROOT))
            ? Pod.class
            : ObjectKind.ofWord(kind)
                .<Class<?>>map(ObjectKind::type)
                .orElseThrow(
                    () ->
                        PeapodException.notFound(
                            "there is no resource type \"" + kind + "\" here"));
    Class<?> type = root;
    String state = "";
    String typeWord = "Object";
    for (String name : names) {
      Type field = Schema.fields(type).get(name);
      if (field == null) {
        String near =
            Words.nearest(name, Schema.fields(type).keySet())
                .map(n -> ", did you mean \"" + n + "\"?")
                .orElse("");
        throw PeapodException.notFound("field \"" + Words.cut(name) + "\" does not exist" + near);
      }
      state = state(type, name);
      typeWord = word(field);
      type = item(field);
    }
    StringBuilder out = new StringBuilder();
    String version = ObjectKind.ofWord(kind).map(ObjectKind::version).orElse("v1");
    out.append("KIND:     ").append(root.getSimpleName());
    out.append("\nVERSION:  ").append(version).append('\n');
    if (!names.isEmpty()) {
      out.append("FIELD:    ").append(names.getLast()).append(" <").append(typeWord).append(">\n");
      out.append("STATE:    ").append(state).append('\n');
    }
    if (isObject(type)) {
      out.append("\nFIELDS:\n");
      Class<?> of = type;
      Map<String, Type> fields = Schema.fields(type);
      int width = fields.keySet().stream().mapToInt(String::length).max().orElse(0);
      int typeWidth = fields.values().stream().mapToInt(t -> word(t).length()).max().orElse(0) + 2;
      fields.forEach(
          (name, field) -> {
            String line =
                GAP
                    + name
                    + " ".repeat(width - name.length())
                    + GAP
                    + "<"
                    + word(field)
                    + ">"
                    + " ".repeat(typeWidth - word(field).length() - 2)
                    + GAP
                    + state(of, name);
            out.append(line.stripTrailing()).append('\n');
          });
    }
    return out.toString();
  }

  private static void collect(Class<?> type, Set<Class<?>> types) {
    if (!isObject(type) || !types.add(type)) {
      return;
    }
    Schema.fields(type)
        .forEach(
            (name, field) -> {
              if (!Support.dropped(type, name) && Support.refusal(type, name).isEmpty()) {
                collect(item(field), types);
              }
            });
  }

  private static String state(Class<?> type, String name) {
    if (Support.dropped(type, name)) {
      return "dropped: a server fills it in";
    }
    Optional<String> refusal = Support.refusal(type, name);
    return refusal.map(why -> "refused: " + why.replaceFirst("^[^:]*: ", "")).orElse("supported");
  }

  /// The fields that are refused without a reason; there must be none.
  static List<String> unreasoned() {
    Set<Class<?>> types = new LinkedHashSet<>();
    collect(Pod.class, types);
    for (ObjectKind kind : ObjectKind.values()) {
      collect(kind.type(), types);
    }
    List<String> found = new ArrayList<>();
    for (Class<?> type : types) {
      for (String name : Schema.fields(type).keySet()) {
        Optional<String> refusal = Support.refusal(type, name);
        if (!Support.dropped(type, name) && refusal.isPresent() && !refusal.get().contains(": ")) {
          found.add(type.getSimpleName() + "." + name);
        }
      }
    }
    return found;
  }

  private static boolean isObject(Class<?> type) {
    return !type.isPrimitive()
        && !type.getPackageName().startsWith("java.")
        && type != Quantity.class
        && type != IntOrString.class;
  }

  /// The class of a field's value, or of its list's or map's items.
  private static Class<?> item(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      return item(arguments[arguments.length - 1]);
    }
    return type instanceof Class<?> c ? c : Object.class;
  }

  private static String word(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      String of = word(arguments[arguments.length - 1]);
      return generic.getRawType() == List.class ? "[]" + of : "map[string]" + of;
    }
    Class<?> c = item(type);
    if (c == Integer.class || c == Long.class) {
      return "integer";
    }
    return isObject(c) || c == Quantity.class || c == IntOrString.class
        ? c.getSimpleName()
        : c.getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }
}
