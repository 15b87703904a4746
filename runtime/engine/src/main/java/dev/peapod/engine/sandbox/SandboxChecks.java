package dev.peapod.engine.sandbox;

import dev.peapod.engine.cgroup.ResourceChecks;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.PodMetadata;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.error.PeapodException;
import java.util.Map;
import java.util.regex.Pattern;

/// Refuses what a sandbox can not be.
final class SandboxChecks {
  private static final Pattern HOSTNAME =
      Pattern.compile(
          "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*");
  private static final Pattern SYSCTL_NAME = Pattern.compile("[a-zA-Z0-9_-]+([./][a-zA-Z0-9_-]+)+");
  private static final int MAX_HOSTNAME = 64;

  /// The kernel's `(uid_t) -1` means "none".
  private static final long MAX_ID = 0xfffffffeL;

  private SandboxChecks() {}

  /// @throws PeapodException INVALID naming the field
  static void check(SandboxSpec spec) {
    PodMetadata metadata = spec.metadata();
    require(!metadata.name().isEmpty(), "metadata.name", "is empty");
    plain("metadata.name", metadata.name());
    plain("metadata.namespace", metadata.namespace());
    plain("metadata.uid", metadata.uid());
    require(metadata.attempt() >= 0, "metadata.attempt", "is negative");
    if (!spec.hostname().isEmpty()) {
      require(
          spec.hostname().length() <= MAX_HOSTNAME && HOSTNAME.matcher(spec.hostname()).matches(),
          "hostname",
          "\"" + spec.hostname() + "\" is not a host name of at most 64 characters");
    }
    if (!spec.logDirectory().isEmpty()) {
      plain("log_directory", spec.logDirectory());
      require(spec.logDirectory().startsWith("/"), "log_directory", "is not absolute");
    }
    cgroupParent(spec.cgroupParent());
    ResourceChecks.check("sandbox", spec.resources());
    spec.dns().servers().forEach(s -> plain("dns_config.servers", s));
    spec.dns().searches().forEach(s -> plain("dns_config.searches", s));
    spec.dns().options().forEach(s -> plain("dns_config.options", s));
    require(
        spec.network() == NamespaceMode.POD || spec.network() == NamespaceMode.NODE,
        "namespace_options.network",
        "can be POD or NODE");
    require(
        spec.ipc() == NamespaceMode.POD || spec.ipc() == NamespaceMode.NODE,
        "namespace_options.ipc",
        "can be POD or NODE");
    require(
        spec.pid() != NamespaceMode.TARGET,
        "namespace_options.pid",
        "of a sandbox can not be TARGET");
    userNamespace(spec);
    if (spec.network() == NamespaceMode.NODE) {
      require(
          spec.ports().stream().allMatch(p -> p.hostPort() == p.containerPort()),
          "port_mappings",
          "of a pod on the host's network can not lead to other ports");
    }
    for (Map.Entry<String, String> sysctl : spec.sysctls().entrySet()) {
      sysctl(spec, sysctl.getKey(), sysctl.getValue());
    }
  }

  /// The host name of a pod with a network of its own: what was asked for, else made from its name.
  static String hostname(SandboxSpec spec) {
    if (!spec.hostname().isEmpty()) {
      return spec.hostname();
    }
    String name = spec.metadata().name();
    String cut = name.substring(0, Math.min(63, name.length()));
    return HOSTNAME.matcher(cut).matches() ? cut : "pod";
  }

  private static void userNamespace(SandboxSpec spec) {
    UserNamespace users = spec.userNamespace();
    if (users == null) {
      return;
    }
    String field = "namespace_options.userns_options";
    ids(field + ".uids", users.uids());
    ids(field + ".gids", users.gids());
    require(
        spec.network() == NamespaceMode.POD
            && spec.ipc() == NamespaceMode.POD
            && spec.pid() != NamespaceMode.NODE,
        field,
        "can not go with the host's network, IPC or PID namespace");
  }

  private static void ids(String field, UserNamespace.Ids ids) {
    require(ids.count() > 0, field, "has a length of 0");
    require(ids.first() > 0, field, "begins with host_id 0: the pod's root would be the host's");
    require(
        ids.first() <= MAX_ID && ids.count() <= MAX_ID + 1 - ids.first(),
        field,
        "reaches beyond the last id, " + MAX_ID);
  }

  private static void cgroupParent(String parent) {
    if (parent.isEmpty()) {
      return;
    }
    plain("cgroup_parent", parent);
    for (String part : parent.split("/")) {
      require(
          !part.equals("..") && !part.equals("."), "cgroup_parent", "has a part \"" + part + "\"");
    }
    require(!parent.replace("/", "").isEmpty(), "cgroup_parent", "is the root of all cgroups");
  }

  private static void sysctl(SandboxSpec spec, String name, String value) {
    String field = "sysctls[\"" + name + "\"]";
    require(SYSCTL_NAME.matcher(name).matches(), "sysctls", "\"" + name + "\" is not a name");
    plain(field, value);
    require(value.indexOf('+') < 0, field, "has a character that is not allowed");
    String dotted = name.replace('/', '.');
    boolean ofNetwork = dotted.startsWith("net.");
    boolean ofIpc =
        dotted.startsWith("kernel.shm")
            || dotted.startsWith("kernel.msg")
            || dotted.equals("kernel.sem")
            || dotted.startsWith("fs.mqueue.");
    boolean ofNames = dotted.equals("kernel.domainname");
    boolean own =
        ((ofNetwork || ofNames) && spec.network() != NamespaceMode.NODE)
            || (ofIpc && spec.ipc() != NamespaceMode.NODE);
    require(own, field, "is not a parameter of the pod's own namespaces");
  }

  private static void plain(String field, String text) {
    require(
        text.chars().allMatch(c -> c >= ' ' && c != 0x7f), field, "has control characters in it");
  }

  private static void require(boolean holds, String field, String what) {
    if (!holds) {
      throw PeapodException.invalid("sandbox: " + field + " " + what);
    }
  }
}
