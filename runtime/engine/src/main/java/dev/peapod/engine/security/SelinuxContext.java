package dev.peapod.engine.security;

import dev.peapod.engine.model.SelinuxLabel;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Selinux;

/// What SELinux calls what belongs to a container.
///
/// @param processes the label of its processes
/// @param files the label of its files: of the same user and level
public record SelinuxContext(String processes, String files) {
  /// Where the machine's policy does not say what it calls containers.
  private static final String PROCESSES = "system_u:system_r:container_t:s0";

  private static final String FILES = "system_u:object_r:container_file_t:s0";

  /// Completes what is asked for with what the machine's policy has for containers.
  ///
  /// @param field how errors name it
  /// @throws PeapodException INVALID if the kernel has no SELinux, or its policy no such label
  public static SelinuxContext of(String field, SelinuxLabel asked) {
    if (!Selinux.isOn()) {
      throw PeapodException.invalid(
          field + ": a label is asked for, but this kernel has no SELinux, or no policy for it");
    }
    SelinuxContext context =
        complete(
            asked,
            Selinux.ofContainers("process").orElse(PROCESSES),
            Selinux.ofContainers("file").orElse(FILES));
    known(field, context.processes);
    known(field, context.files);
    return context;
  }

  /// @param processes the label of a container's processes where nothing is asked for
  /// @param files the label of its files then
  static SelinuxContext complete(SelinuxLabel asked, String processes, String files) {
    String user = asked.user();
    String level = asked.level();
    return new SelinuxContext(
        join(processes, user, asked.role(), asked.type(), level), join(files, user, "", "", level));
  }

  /// @param parts user, role, type and level; `""` for what the default has
  private static String join(String otherwise, String... parts) {
    // A level has colons itself.
    String[] defaults = otherwise.split(":", parts.length);
    StringBuilder label = new StringBuilder();
    for (int i = 0; i < parts.length; i++) {
      String absent = i < defaults.length ? defaults[i] : "";
      String part = parts[i].isEmpty() ? absent : parts[i];
      // Where the policy has no levels, labels have three parts.
      if (!part.isEmpty()) {
        label.append(i == 0 ? "" : ":").append(part);
      }
    }
    return label.toString();
  }

  private static void known(String field, String label) {
    boolean plain = label.chars().noneMatch(c -> c <= ' ' || c >= 0x7f || c == '"');
    if (!plain || !Selinux.knows(label)) {
      throw PeapodException.invalid(
          field + ": \"" + label + "\" is not a label of this machine's policy");
    }
  }
}
