package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HostAlias;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodDNSConfig;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Sysctl;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of a pod with its defaults, as far as this version supports
/// the fields.
final class PodValidation {
  private static final Pattern SYSCTL =
      Pattern.compile("([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?");

  private final Rules rules;
  private final ContainerValidation containers;

  PodValidation(Rules rules) {
    this.rules = rules;
    this.containers = new ContainerValidation(rules);
  }

  void validate(Pod pod) {
    new MetadataValidation(rules).validate(pod.getMetadata());
    spec(pod.getSpec());
  }

  /// The pod of a template, which gets its name later.
  void validateTemplate(Pod pod) {
    new MetadataValidation(rules).words(pod.getMetadata());
    spec(pod.getSpec());
  }

  private void spec(PodSpec spec) {
    rules.oneOf(
        "spec.restartPolicy", spec.getRestartPolicy(), Set.of("Always", "OnFailure", "Never"));
    rules.inRange(
        "spec.activeDeadlineSeconds", spec.getActiveDeadlineSeconds(), 1, Integer.MAX_VALUE);
    rules.notNegative(
        "spec.terminationGracePeriodSeconds", spec.getTerminationGracePeriodSeconds());
    if (spec.getHostname() != null && !spec.getHostname().isEmpty()) {
      rules.label("spec.hostname", spec.getHostname());
    }
    if (spec.getSubdomain() != null && !spec.getSubdomain().isEmpty()) {
      rules.label("spec.subdomain", spec.getSubdomain());
    }
    if (Boolean.TRUE.equals(spec.getHostPID())
        && Boolean.TRUE.equals(spec.getShareProcessNamespace())) {
      rules.invalid(
          "spec.shareProcessNamespace",
          true,
          "ShareProcessNamespace and HostPID cannot both be enabled");
    }
    if (Boolean.FALSE.equals(spec.getHostUsers())) {
      hostUsers("spec.hostNetwork", spec.getHostNetwork());
      hostUsers("spec.hostPID", spec.getHostPID());
      hostUsers("spec.hostIPC", spec.getHostIPC());
    }
    if (Boolean.TRUE.equals(spec.getAutomountServiceAccountToken())) {
      rules.forbidden(
          "spec.automountServiceAccountToken",
          "is not supported by this version of Peapod: there is no Kubernetes API server here");
    }
    if (spec.getSchedulerName() != null && !spec.getSchedulerName().equals("default-scheduler")) {
      rules.forbidden(
          "spec.schedulerName",
          "is not supported by this version of Peapod: Peapod runs every pod on this one machine");
    }
    if (spec.getOs() != null) {
      rules.oneOf("spec.os.name", spec.getOs().getName(), Set.of("linux"));
    }
    dns(spec);
    hostAliases(spec.getHostAliases());
    security(spec.getSecurityContext());
    Set<String> volumes = new VolumeValidation(rules).volumes(spec.getVolumes());
    containers(spec, volumes);
    resources(spec);
  }

  /// What the pod has as a whole has to be enough for its containers.
  private void resources(PodSpec spec) {
    containers.resources("spec.resources", spec.getResources());
    for (String name : PodResources.NAMES) {
      BigDecimal sum = PodResources.sum(spec, false, name);
      PodResources.quantity(spec.getResources(), false, name)
          .filter(own -> PodResources.value(own).compareTo(sum) < 0)
          .ifPresent(
              own ->
                  rules.invalid(
                      "spec.resources.requests." + name,
                      PodResources.text(own),
                      "must be greater than or equal to aggregate container requests of "
                          + PodResources.text(Defaults.quantity(sum))));
      PodResources.quantity(spec.getResources(), true, name)
          .ifPresent(limit -> within(limit, name, spec));
    }
  }

  private void within(Quantity limit, String name, PodSpec spec) {
    for (int i = 0; i < spec.getContainers().size(); i++) {
      String path = "spec.containers[" + i + "].resources.limits." + name;
      PodResources.quantity(spec.getContainers().get(i).getResources(), true, name)
          .filter(own -> PodResources.value(own).compareTo(PodResources.value(limit)) > 0)
          .ifPresent(
              own ->
                  rules.invalid(
                      path,
                      PodResources.text(own),
                      "must be less than or equal to pod limits of " + PodResources.text(limit)));
    }
  }

  private void hostUsers(String path, @Nullable Boolean host) {
    if (Boolean.TRUE.equals(host)) {
      rules.forbidden(path, "when `hostUsers` is false");
    }
  }

  private void dns(PodSpec spec) {
    rules.oneOf(
        "spec.dnsPolicy",
        spec.getDnsPolicy(),
        Set.of("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"));
    PodDNSConfig config = spec.getDnsConfig();
    List<String> servers = config == null ? List.of() : config.getNameservers();
    if ("None".equals(spec.getDnsPolicy()) && servers.isEmpty()) {
      rules.error(
          "spec.dnsConfig.nameservers",
          "Required value: must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
    if (config == null) {
      return;
    }
    if (servers.size() > 3) {
      rules.invalid("spec.dnsConfig.nameservers", servers, "must not have more than 3 nameservers");
    }
    for (int i = 0; i < servers.size(); i++) {
      if (!Addresses.isAddress(servers.get(i))) {
        rules.invalid(
            "spec.dnsConfig.nameservers[" + i + "]", servers.get(i), "must be a valid IP address");
      }
    }
    List<String> searches = config.getSearches();
    if (searches.size() > 32) {
      rules.invalid("spec.dnsConfig.searches", searches, "must not have more than 32 search paths");
    }
    for (int i = 0; i < searches.size(); i++) {
      String path = "spec.dnsConfig.searches[" + i + "]";
      String search = searches.get(i);
      rules.subdomain(
          path, search.endsWith(".") ? search.substring(0, search.length() - 1) : search);
    }
    for (int i = 0; i < config.getOptions().size(); i++) {
      String path = "spec.dnsConfig.options[" + i + "]";
      String name = config.getOptions().get(i).getName();
      String value = config.getOptions().get(i).getValue();
      if (rules.required(path + ".name", name)) {
        word(path + ".name", name);
      }
      if (value != null) {
        word(path + ".value", value);
      }
    }
  }

  /// A line of resolv.conf or hosts is made of it.
  private void word(String path, String value) {
    if (value.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isISOControl(c))) {
      rules.invalid(path, value, "must not contain white space");
    }
  }

  private void hostAliases(List<HostAlias> aliases) {
    for (int i = 0; i < aliases.size(); i++) {
      String path = "spec.hostAliases[" + i + "]";
      HostAlias alias = aliases.get(i);
      if (rules.required(path + ".ip", alias.getIp()) && !Addresses.isAddress(alias.getIp())) {
        rules.invalid(path + ".ip", alias.getIp(), "must be a valid IP address");
      }
      for (int j = 0; j < alias.getHostnames().size(); j++) {
        rules.subdomain(path + ".hostnames[" + j + "]", alias.getHostnames().get(j));
      }
    }
  }

  private void security(@Nullable PodSecurityContext security) {
    if (security == null) {
      return;
    }
    String path = "spec.securityContext";
    containers.identity(path, security.getRunAsUser(), security.getRunAsGroup());
    containers.seccomp(path + ".seccompProfile", security.getSeccompProfile());
    containers.id(path + ".fsGroup", security.getFsGroup());
    rules.oneOf(
        path + ".fsGroupChangePolicy",
        security.getFsGroupChangePolicy(),
        Set.of("OnRootMismatch", "Always"));
    // One and the same here: that of mounts is for volumes of drivers that tell Kubernetes of it.
    rules.oneOf(
        path + ".seLinuxChangePolicy",
        security.getSeLinuxChangePolicy(),
        Set.of("MountOption", "Recursive"));
    rules.oneOf(
        path + ".supplementalGroupsPolicy",
        security.getSupplementalGroupsPolicy(),
        Set.of("Merge", "Strict"));
    containers.apparmor(path + ".appArmorProfile", security.getAppArmorProfile());
    for (int i = 0; i < security.getSupplementalGroups().size(); i++) {
      containers.id(
          path + ".supplementalGroups[" + i + "]", security.getSupplementalGroups().get(i));
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < security.getSysctls().size(); i++) {
      Sysctl sysctl = security.getSysctls().get(i);
      String at = path + ".sysctls[" + i + "]";
      if (rules.required(at + ".name", sysctl.getName())) {
        String name = sysctl.getName();
        if (name.length() > 253 || !SYSCTL.matcher(name).matches()) {
          rules.invalid(at + ".name", name, "must match the regex " + SYSCTL);
        } else if (!names.add(name.replace('/', '.'))) {
          rules.duplicate(at + ".name", name);
        }
      }
      String value = sysctl.getValue();
      if (value == null) {
        rules.error(at + ".value", "Required value");
      } else if (value.indexOf('\n') >= 0 || value.indexOf('\0') >= 0 || value.indexOf('+') >= 0) {
        rules.invalid(at + ".value", value, "must not contain a line break, '+' or NUL");
      }
    }
  }

  private void containers(PodSpec spec, Set<String> volumes) {
    if (spec.getContainers().isEmpty()) {
      rules.error("spec.containers", "Required value");
    }
    Set<String> names = new HashSet<>();
    Set<String> hostPorts = new HashSet<>();
    boolean hostNetwork = Boolean.TRUE.equals(spec.getHostNetwork());
    for (int i = 0; i < spec.getInitContainers().size(); i++) {
      Container container = spec.getInitContainers().get(i);
      String path = "spec.initContainers[" + i + "]";
      rules.named(container.getName(), path, names);
      containers.validate(container, path, volumes, spec);
      if ("Always".equals(container.getRestartPolicy())) {
        hostPorts(container.getPorts(), path, hostPorts, hostNetwork);
        continue;
      }
      for (String probe : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
        if (ProbeValidation.of(container, probe) != null) {
          rules.forbidden(
              path + "." + probe,
              "may not be set for init containers without restartPolicy=Always");
        }
      }
      if (container.getLifecycle() != null) {
        rules.forbidden(
            path + ".lifecycle", "may not be set for init containers without restartPolicy=Always");
      }
    }
    for (int i = 0; i < spec.getContainers().size(); i++) {
      Container container = spec.getContainers().get(i);
      String path = "spec.containers[" + i + "]";
      rules.named(container.getName(), path, names);
      containers.validate(container, path, volumes, spec);
      hostPorts(container.getPorts(), path, hostPorts, hostNetwork);
    }
  }

  private void hostPorts(
      List<ContainerPort> ports, String path, Set<String> taken, boolean hostNetwork) {
    for (int j = 0; j < ports.size(); j++) {
      ContainerPort port = ports.get(j);
      String at = path + ".ports[" + j + "].hostPort";
      Integer hostPort = port.getHostPort();
      if (hostPort == null || hostPort == 0) {
        continue;
      }
      if (hostNetwork && !hostPort.equals(port.getContainerPort())) {
        rules.invalid(at, hostPort, "must match `containerPort` when `hostNetwork` is true");
      }
      String host = port.getHostIP() == null ? "" : port.getHostIP();
      if (!taken.add(port.getProtocol() + "/" + host + "/" + hostPort)) {
        rules.duplicate(at, port.getProtocol() + "/" + host + "/" + hostPort);
      }
    }
  }
}
