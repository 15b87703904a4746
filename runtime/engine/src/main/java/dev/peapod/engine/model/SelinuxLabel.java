package dev.peapod.engine.model;

/// An SELinux label as far as it is asked for; parts may be `""`.
public record SelinuxLabel(String user, String role, String type, String level) {
  /// Whether nothing is asked for.
  public boolean isEmpty() {
    return user.isEmpty() && role.isEmpty() && type.isEmpty() && level.isEmpty();
  }
}
