package dev.peapod.pods.manifest;

import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The downward API's field paths for environment variables.
public final class FieldPaths {
  private static final Set<String> PLAIN =
      Set.of(
          "metadata.name",
          "metadata.namespace",
          "metadata.uid",
          "spec.nodeName",
          "spec.serviceAccountName",
          "status.hostIP",
          "status.hostIPs",
          "status.podIP",
          "status.podIPs");
  private static final Pattern ELEMENT =
      Pattern.compile("metadata\\.(labels|annotations)\\['([^']+)'\\]");

  private FieldPaths() {}

  static boolean isSupported(String path) {
    return PLAIN.contains(path) || ELEMENT.matcher(path).matches();
  }

  /// The value of a path.
  ///
  /// @param plain values of the paths without a subscript
  public static String resolve(
      String path,
      Map<String, String> plain,
      @Nullable Map<String, String> labels,
      @Nullable Map<String, String> annotations) {
    Matcher element = ELEMENT.matcher(path);
    if (element.matches()) {
      Map<String, String> map = element.group(1).equals("labels") ? labels : annotations;
      return map == null ? "" : map.getOrDefault(element.group(2), "");
    }
    return plain.getOrDefault(path, "");
  }
}
