package dev.peapod.engine.container;

import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import java.util.List;
import java.util.Locale;

/// Capabilities by name, and the sets that a container's first process gets (capabilities(7)).
final class CapabilitySets {
  /// In the order of their numbers.
  private static final List<String> NAMES =
      List.of(
          "CHOWN",
          "DAC_OVERRIDE",
          "DAC_READ_SEARCH",
          "FOWNER",
          "FSETID",
          "KILL",
          "SETGID",
          "SETUID",
          "SETPCAP",
          "LINUX_IMMUTABLE",
          "NET_BIND_SERVICE",
          "NET_BROADCAST",
          "NET_ADMIN",
          "NET_RAW",
          "IPC_LOCK",
          "IPC_OWNER",
          "SYS_MODULE",
          "SYS_RAWIO",
          "SYS_CHROOT",
          "SYS_PTRACE",
          "SYS_PACCT",
          "SYS_ADMIN",
          "SYS_BOOT",
          "SYS_NICE",
          "SYS_RESOURCE",
          "SYS_TIME",
          "SYS_TTY_CONFIG",
          "MKNOD",
          "LEASE",
          "AUDIT_WRITE",
          "AUDIT_CONTROL",
          "SETFCAP",
          "MAC_OVERRIDE",
          "MAC_ADMIN",
          "SYSLOG",
          "WAKE_ALARM",
          "BLOCK_SUSPEND",
          "AUDIT_READ",
          "PERFMON",
          "BPF",
          "CHECKPOINT_RESTORE");

  private static final List<String> DEFAULT_NAMES =
      List.of(
          "CHOWN",
          "DAC_OVERRIDE",
          "FSETID",
          "FOWNER",
          "MKNOD",
          "NET_RAW",
          "SETGID",
          "SETUID",
          "SETFCAP",
          "SETPCAP",
          "NET_BIND_SERVICE",
          "SYS_CHROOT",
          "KILL",
          "AUDIT_WRITE");

  private static final long ALL = (1L << NAMES.size()) - 1;
  private static final long DEFAULT =
      DEFAULT_NAMES.stream().mapToLong(CapabilitySets::bit).reduce(0, (a, b) -> a | b);

  private CapabilitySets() {}

  /// The sets that a request asks for; joiner leaves out what the daemon itself does not hold.
  ///
  /// @throws PeapodException INVALID naming a capability that does not exist
  static Operation.Capabilities of(String container, SecuritySpec security) {
    long drop = bits(container, "drop_capabilities", security.dropCapabilities());
    long add = bits(container, "add_capabilities", security.addCapabilities());
    long ambient = bits(container, "add_ambient_capabilities", security.ambientCapabilities());
    boolean addAll = add == ALL;
    boolean dropAll = drop == ALL;
    long set = DEFAULT;
    if (security.privileged()) {
      set = ALL;
    } else if (dropAll) {
      set = addAll ? ALL : add;
    } else if (addAll) {
      set = ALL & ~drop;
    } else {
      set = (set | add) & ~drop;
    }
    set |= ambient;
    return new Operation.Capabilities(set, set, set, ambient, ambient);
  }

  private static long bits(String container, String field, List<String> names) {
    long bits = 0;
    for (String name : names) {
      String bare = name.toUpperCase(Locale.ROOT);
      if (bare.startsWith("CAP_")) {
        bare = bare.substring(4);
      }
      if (bare.equals("ALL")) {
        return ALL;
      }
      if (!NAMES.contains(bare)) {
        throw PeapodException.invalid(
            "container \""
                + container
                + "\": "
                + field
                + ": capability \""
                + name
                + "\" does not exist");
      }
      bits |= bit(bare);
    }
    return bits;
  }

  private static long bit(String name) {
    return 1L << NAMES.indexOf(name);
  }
}
