package dev.peapod.engine.model;

import java.util.Objects;

/// Which profile of seccomp or AppArmor applies.
///
/// @param name of a [Kind#LOCALHOST] profile: a file or a loaded profile; else `""`
public record SecurityProfile(Kind kind, String name) {
  /// Where a profile comes from.
  public enum Kind {
    RUNTIME_DEFAULT,
    UNCONFINED,
    LOCALHOST
  }

  /// None.
  public static final SecurityProfile UNCONFINED = new SecurityProfile(Kind.UNCONFINED, "");

  /// Peapod's own.
  public static final SecurityProfile RUNTIME_DEFAULT =
      new SecurityProfile(Kind.RUNTIME_DEFAULT, "");

  /// @throws IllegalArgumentException if a name is there and should not, or should and is not
  public SecurityProfile {
    Objects.requireNonNull(kind, "kind");
    if ((kind == Kind.LOCALHOST) == name.isEmpty()) {
      throw new IllegalArgumentException(kind + " with the name \"" + name + "\"");
    }
  }

  /// A profile of the machine's owner.
  public static SecurityProfile localhost(String name) {
    return new SecurityProfile(Kind.LOCALHOST, name);
  }
}
