package dev.peapod.engine.security;

import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

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

  /// Every capability that Linux has, as a bit set.
  static final long ALL = (1L << NAMES.size()) - 1;

  /// What a container has that asks for nothing.
  static final long DEFAULT =
      DEFAULT_NAMES.stream().mapToLong(name -> 1L << NAMES.indexOf(name)).reduce(0, (a, b) -> a | b);

  private static final long SYS_ADMIN = 1L << NAMES.indexOf("SYS_ADMIN");

  private final long granted;
  private final long ambient;

  private CapabilitySets(long granted, long ambient) {
    this.granted = granted;
    this.ambient = ambient;
  }

  /// What a request asks for. The lists count in this order, each after the one before: the
  /// defaults, `ALL` added, `ALL` dropped, names added, names dropped. What is ambient is granted
  /// too. joiner leaves out what the daemon itself does not hold.
  ///
  /// @throws PeapodException INVALID naming a capability that does not exist
  static CapabilitySets of(String container, SecuritySpec security) {
    Names add = names(container, "add_capabilities", security.addCapabilities());
    Names drop = names(container, "drop_capabilities", security.dropCapabilities());
    Names ambient = names(container, "add_ambient_capabilities", security.ambientCapabilities());
    if (security.privileged()) {
      return new CapabilitySets(ALL, ambient.set());
    }
    long set = add.all ? ALL : DEFAULT;
    set = drop.all ? 0 : set;
    set = (set | add.bits | ambient.set()) & ~drop.bits;
    return new CapabilitySets(set, ambient.set() & set);
  }

  /// All that the container has, as a bit set.
  long granted() {
    return granted;
  }

  /// The sets until the program is executed.
  ///
  /// @param keepSysAdmin whether CAP_SYS_ADMIN is kept until then, to load a filter. execve(2)
  ///     takes it away, since it is neither in the bounding nor in the ambient set
  Operation.Capabilities operation(boolean keepSysAdmin) {
    long held = keepSysAdmin ? granted | SYS_ADMIN : granted;
    return new Operation.Capabilities(granted, held, held, ambient, ambient);
  }

  /// The bit of a capability, with or without `CAP_`; nothing if there is none of that name.
  static OptionalLong bit(String name) {
    String bare = name.toUpperCase(Locale.ROOT);
    if (bare.startsWith("CAP_")) {
      bare = bare.substring(4);
    }
    int index = NAMES.indexOf(bare);
    return index < 0 ? OptionalLong.empty() : OptionalLong.of(1L << index);
  }

  private record Names(boolean all, long bits) {
    long set() {
      return all ? ALL : bits;
    }
  }

  private static Names names(String container, String field, List<String> names) {
    boolean all = false;
    long bits = 0;
    for (String name : names) {
      if (name.equalsIgnoreCase("ALL") || name.equalsIgnoreCase("CAP_ALL")) {
        all = true;
      } else {
        bits |=
            bit(name)
                .orElseThrow(
                    () ->
                        PeapodException.invalid(
                            "container \""
                                + container
                                + "\": security_context.capabilities."
                                + field
                                + ": capability \""
                                + name
                                + "\" does not exist"));
      }
    }
    return new Names(all, bits);
  }
}
