package dev.peapod.engine.model;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a container's processes are and may.
///
/// @param addCapabilities names, with or without `CAP_`; `ALL` means all
/// @param pid POD, CONTAINER, NODE or TARGET
/// @param targetId the container whose PID namespace is joined, where `pid` is TARGET
/// @param runAsUser a user id, before `runAsUsername`
/// @param runAsUsername a name of the image's passwd file, or `""`
/// @param strictGroups whether the image's group file adds no groups
/// @param maskedPaths what is covered; empty: the defaults, or nothing in a pod with users of its own
/// @param readonlyPaths what is read-only; empty: as for `maskedPaths`
/// @param seccomp which filter of system calls applies
/// @param apparmor which AppArmor profile applies
/// @param selinux the SELinux label, if one is asked for
public record SecuritySpec(
    List<String> addCapabilities,
    List<String> dropCapabilities,
    List<String> ambientCapabilities,
    boolean privileged,
    NamespaceMode pid,
    String targetId,
    @Nullable Long runAsUser,
    @Nullable Long runAsGroup,
    String runAsUsername,
    List<Long> supplementalGroups,
    boolean strictGroups,
    boolean readonlyRootfs,
    boolean noNewPrivileges,
    List<String> maskedPaths,
    List<String> readonlyPaths,
    SecurityProfile seccomp,
    SecurityProfile apparmor,
    @Nullable SelinuxLabel selinux) {
  public SecuritySpec {
    addCapabilities = List.copyOf(addCapabilities);
    dropCapabilities = List.copyOf(dropCapabilities);
    ambientCapabilities = List.copyOf(ambientCapabilities);
    supplementalGroups = List.copyOf(supplementalGroups);
    maskedPaths = List.copyOf(maskedPaths);
    readonlyPaths = List.copyOf(readonlyPaths);
    Objects.requireNonNull(seccomp, "seccomp");
    Objects.requireNonNull(apparmor, "apparmor");
  }

  /// The defaults.
  public static final SecuritySpec DEFAULT =
      new SecuritySpec(
          List.of(),
          List.of(),
          List.of(),
          false,
          NamespaceMode.POD,
          "",
          null,
          null,
          "",
          List.of(),
          false,
          false,
          false,
          List.of(),
          List.of(),
          SecurityProfile.UNCONFINED,
          SecurityProfile.RUNTIME_DEFAULT,
          null);
}
