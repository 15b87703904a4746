package dev.peapod.system;

/// Manifests that several tests use.
final class Manifests {
  private Manifests() {}

  /// A pod with the containers given, each a YAML list item that is not indented.
  static String pod(String name, String more, String... containers) {
    StringBuilder text =
        new StringBuilder(
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: %s
            spec:
              terminationGracePeriodSeconds: 2
            %s\
              containers:
            """
                .formatted(name, more.indent(2)));
    for (String container : containers) {
      text.append(container.indent(4));
    }
    return text.toString();
  }

  /// A container that runs a shell script.
  static String container(String name, String script, String more) {
    return """
        - name: %s
          image: %s
          command: ["sh", "-c", "%s"]
        %s"""
        .formatted(
            name, Fixtures.BUSYBOX, script.replace("\\", "\\\\").replace("\"", "\\\""), more.indent(2));
  }

  /// A container that does nothing until it is told to end.
  static String idle(String name) {
    return container(name, "exec sleep 100000", "");
  }

  /// A pod of one idle container.
  static String sleeper(String name) {
    return pod(name, "", idle("main"));
  }
}
