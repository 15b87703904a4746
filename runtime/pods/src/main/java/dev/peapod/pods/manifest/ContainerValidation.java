package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Capabilities;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HTTPHeader;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of one container.
final class ContainerValidation {
  private static final Pattern CAPABILITY = Pattern.compile("(CAP_)?[A-Z_]+");
  private static final Pattern HEADER = Pattern.compile("[-A-Za-z0-9]+");

  private final Rules rules;

  ContainerValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(Container container, String path, Set<String> volumes, PodSpec spec) {
    image(path, container.getImage());
    rules.oneOf(
        path + ".imagePullPolicy",
        container.getImagePullPolicy(),
        Set.of("Always", "IfNotPresent", "Never"));
    rules.oneOf(
        path + ".terminationMessagePolicy",
        container.getTerminationMessagePolicy(),
        Set.of("File", "FallbackToLogsOnError"));
    absolute(path + ".terminationMessagePath", container.getTerminationMessagePath());
    strings(path + ".command", container.getCommand());
    strings(path + ".args", container.getArgs());
    if (container.getWorkingDir() != null) {
      rules.noNul(path + ".workingDir", container.getWorkingDir());
      if (container.getWorkingDir().startsWith("/proc/self/")) {
        rules.invalid(
            path + ".workingDir", container.getWorkingDir(), "must not lie in /proc/self");
      }
    }
    environment(path + ".env", container.getEnv());
    ports(path + ".ports", container.getPorts());
    resources(path + ".resources", container);
    mounts(path + ".volumeMounts", container.getVolumeMounts(), volumes);
    security(path + ".securityContext", container.getSecurityContext());
    for (String name : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
      probe(path + "." + name, probe(container, name), container, !name.equals("readinessProbe"));
    }
    rootByName(path, container, spec);
  }

  static @Nullable Probe probe(Container container, String name) {
    return switch (name) {
      case "livenessProbe" -> container.getLivenessProbe();
      case "readinessProbe" -> container.getReadinessProbe();
      default -> container.getStartupProbe();
    };
  }

  private void image(String path, @Nullable String image) {
    if (!rules.required(path + ".image", image) || image == null) {
      return;
    }
    if (!image.strip().equals(image)) {
      rules.invalid(path + ".image", image, "must not have leading or trailing whitespace");
    } else if (image
        .chars()
        .anyMatch(c -> Character.isWhitespace(c) || Character.isISOControl(c))) {
      rules.invalid(path + ".image", image, "must not contain white space");
    }
  }

  private void absolute(String path, @Nullable String value) {
    if (value != null && (!value.startsWith("/") || List.of(value.split("/")).contains(".."))) {
      rules.invalid(path, value, "must be an absolute path without '..'");
    }
  }

  private void strings(String path, List<String> values) {
    for (int i = 0; i < values.size(); i++) {
      rules.noNul(path + "[" + i + "]", values.get(i));
    }
  }

  private void environment(String path, List<EnvVar> variables) {
    for (int i = 0; i < variables.size(); i++) {
      EnvVar variable = variables.get(i);
      String at = path + "[" + i + "]";
      if (rules.required(at + ".name", variable.getName())) {
        rules.environmentName(at + ".name", variable.getName());
      }
      if (variable.getValue() != null) {
        rules.noNul(at + ".value", variable.getValue());
      }
      if (variable.getValueFrom() != null) {
        if (variable.getValue() != null && !variable.getValue().isEmpty()) {
          rules.invalid(at + ".valueFrom", "", "may not be specified when `value` is not empty");
        }
        if (variable.getValueFrom().getFieldRef() == null) {
          rules.invalid(at + ".valueFrom", "", "must specify one of: `fieldRef`");
        } else {
          String field = variable.getValueFrom().getFieldRef().getFieldPath();
          if (rules.required(at + ".valueFrom.fieldRef.fieldPath", field)
              && !FieldPaths.isSupported(field)) {
            rules.invalid(
                at + ".valueFrom.fieldRef.fieldPath",
                field,
                "error converting fieldPath: field label not supported: " + Words.cut(field));
          }
        }
      }
    }
  }

  private void ports(String path, List<ContainerPort> ports) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      ContainerPort port = ports.get(i);
      String at = path + "[" + i + "]";
      if (port.getName() != null && !port.getName().isEmpty()) {
        rules.portName(at + ".name", port.getName());
        if (!names.add(port.getName())) {
          rules.duplicate(at + ".name", port.getName());
        }
      }
      if (port.getContainerPort() == null) {
        rules.error(at + ".containerPort", "Required value");
      }
      rules.inRange(at + ".containerPort", port.getContainerPort(), 1, 65535);
      if (port.getHostPort() != null && port.getHostPort() != 0) {
        rules.inRange(at + ".hostPort", port.getHostPort(), 1, 65535);
      }
      rules.oneOf(at + ".protocol", port.getProtocol(), Set.of("TCP", "UDP", "SCTP"));
      if (port.getHostIP() != null
          && !port.getHostIP().isEmpty()
          && !Addresses.isAddress(port.getHostIP())) {
        rules.invalid(at + ".hostIP", port.getHostIP(), "must be a valid IP address");
      }
    }
  }

  private void resources(String path, Container container) {
    if (container.getResources() == null) {
      return;
    }
    Map<String, Quantity> limits = container.getResources().getLimits();
    Map<String, Quantity> requests = container.getResources().getRequests();
    quantities(path + ".limits", limits, Map.of());
    quantities(path + ".requests", requests, limits == null ? Map.of() : limits);
    if (limits == null || requests == null) {
      return;
    }
    requests.forEach(
        (name, request) -> {
          Quantity limit = limits.get(name);
          if (limit != null && value(request).compareTo(value(limit)) > 0) {
            rules.invalid(
                path + ".requests." + name,
                text(request),
                "must be less than or equal to " + name + " limit of " + text(limit));
          }
        });
  }

  /// @param defaults what has been checked already and was taken over
  private void quantities(
      String path, @Nullable Map<String, Quantity> quantities, Map<String, Quantity> defaults) {
    if (quantities == null) {
      return;
    }
    quantities.forEach(
        (name, quantity) -> {
          if (quantity == defaults.get(name)) {
            return;
          }
          String at = path + "." + name;
          if (!name.equals("cpu") && !name.equals("memory")) {
            rules.forbidden(
                at, "is not supported by this version of Peapod: the resources are cpu and memory");
          } else if (value(quantity).signum() < 0) {
            rules.invalid(at, text(quantity), "must be greater than or equal to 0");
          } else if (name.equals("memory") && value(quantity).stripTrailingZeros().scale() > 0) {
            rules.warn(
                at,
                "fractional byte value \"" + text(quantity) + "\" is invalid, must be an integer");
          }
        });
  }

  private static String text(Quantity quantity) {
    String format = quantity.getFormat();
    return quantity.getAmount() + (format == null ? "" : format);
  }

  private static BigDecimal value(Quantity quantity) {
    return Quantities.parse(text(quantity)).orElse(BigDecimal.ZERO);
  }

  private void mounts(String path, List<VolumeMount> mounts, Set<String> volumes) {
    Set<String> targets = new HashSet<>();
    for (int i = 0; i < mounts.size(); i++) {
      VolumeMount mount = mounts.get(i);
      String at = path + "[" + i + "]";
      if (rules.required(at + ".name", mount.getName()) && !volumes.contains(mount.getName())) {
        rules.error(at + ".name", "Not found: " + Words.quote(mount.getName()));
      }
      if (rules.required(at + ".mountPath", mount.getMountPath())) {
        absolute(at + ".mountPath", mount.getMountPath());
        rules.noNul(at + ".mountPath", mount.getMountPath());
        if (!targets.add(mount.getMountPath())) {
          rules.invalid(at + ".mountPath", mount.getMountPath(), "must be unique");
        }
      }
      if ("Bidirectional".equals(mount.getMountPropagation())) {
        rules.forbidden(
            at + ".mountPropagation",
            "Bidirectional is not supported by this version of Peapod: use None or"
                + " HostToContainer");
      } else {
        rules.oneOf(
            at + ".mountPropagation",
            mount.getMountPropagation(),
            Set.of("None", "HostToContainer", "Bidirectional"));
      }
    }
  }

  private void security(String path, @Nullable SecurityContext security) {
    if (security == null) {
      return;
    }
    identity(path, security.getRunAsUser(), security.getRunAsGroup());
    seccomp(path + ".seccompProfile", security.getSeccompProfile());
    boolean privileged = Boolean.TRUE.equals(security.getPrivileged());
    if (Boolean.FALSE.equals(security.getAllowPrivilegeEscalation()) && privileged) {
      rules.invalid(
          path, "", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
    Capabilities capabilities = security.getCapabilities();
    if (capabilities != null) {
      capabilities(path + ".capabilities.add", capabilities.getAdd());
      capabilities(path + ".capabilities.drop", capabilities.getDrop());
    }
  }

  private void capabilities(String path, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      if (!CAPABILITY.matcher(names.get(i)).matches()) {
        rules.invalid(
            path + "[" + i + "]", names.get(i), "must be a capability's name, such as NET_ADMIN");
      }
    }
  }

  void identity(String path, @Nullable Long user, @Nullable Long group) {
    id(path + ".runAsUser", user);
    id(path + ".runAsGroup", group);
  }

  void id(String path, @Nullable Long id) {
    rules.inRange(path, id, 0, Integer.MAX_VALUE);
  }

  void seccomp(String path, @Nullable SeccompProfile profile) {
    if (profile == null || !rules.required(path + ".type", profile.getType())) {
      return;
    }
    if (profile.getType().equals("Localhost")) {
      rules.forbidden(
          path + ".type",
          "Localhost is not supported by this version of Peapod: use RuntimeDefault or Unconfined");
      return;
    }
    rules.oneOf(
        path + ".type", profile.getType(), Set.of("RuntimeDefault", "Unconfined", "Localhost"));
  }

  private void rootByName(String path, Container container, PodSpec spec) {
    SecurityContext own = container.getSecurityContext();
    Boolean nonRoot = own == null ? null : own.getRunAsNonRoot();
    Long user = own == null ? null : own.getRunAsUser();
    if (spec.getSecurityContext() != null) {
      nonRoot = nonRoot == null ? spec.getSecurityContext().getRunAsNonRoot() : nonRoot;
      user = user == null ? spec.getSecurityContext().getRunAsUser() : user;
    }
    if (Boolean.TRUE.equals(nonRoot) && user != null && user == 0) {
      rules.invalid(path + ".securityContext", "", "runAsUser 0 contradicts runAsNonRoot");
    }
  }

  private void probe(
      String path, @Nullable Probe probe, Container container, boolean onlyOneSuccess) {
    if (probe == null) {
      return;
    }
    rules.notNegative(path + ".initialDelaySeconds", probe.getInitialDelaySeconds());
    rules.notNegative(path + ".timeoutSeconds", probe.getTimeoutSeconds());
    rules.notNegative(path + ".periodSeconds", probe.getPeriodSeconds());
    rules.notNegative(path + ".successThreshold", probe.getSuccessThreshold());
    rules.notNegative(path + ".failureThreshold", probe.getFailureThreshold());
    if (onlyOneSuccess && probe.getSuccessThreshold() != null && probe.getSuccessThreshold() > 1) {
      rules.invalid(path + ".successThreshold", probe.getSuccessThreshold(), "must be 1");
    }
    if (probe.getTerminationGracePeriodSeconds() != null) {
      if (!onlyOneSuccess) {
        rules.invalid(
            path + ".terminationGracePeriodSeconds",
            probe.getTerminationGracePeriodSeconds(),
            "must not be set for readinessProbes");
      } else if (probe.getTerminationGracePeriodSeconds() <= 0) {
        rules.invalid(
            path + ".terminationGracePeriodSeconds",
            probe.getTerminationGracePeriodSeconds(),
            "must be greater than 0");
      }
    }
    int handlers =
        (probe.getHttpGet() == null ? 0 : 1)
            + (probe.getTcpSocket() == null ? 0 : 1)
            + (probe.getExec() == null ? 0 : 1);
    if (handlers == 0) {
      rules.error(path, "Required value: must specify a handler type");
    } else if (handlers > 1) {
      rules.forbidden(path, "may not specify more than 1 handler type");
    }
    handler(path, probe, container);
  }

  private void handler(String path, Probe probe, Container container) {
    if (probe.getExec() != null && probe.getExec().getCommand().isEmpty()) {
      rules.error(path + ".exec.command", "Required value");
    }
    if (probe.getTcpSocket() != null) {
      port(path + ".tcpSocket.port", probe.getTcpSocket().getPort(), container);
    }
    if (probe.getHttpGet() != null) {
      String at = path + ".httpGet";
      port(at + ".port", probe.getHttpGet().getPort(), container);
      rules.oneOf(at + ".scheme", probe.getHttpGet().getScheme(), Set.of("HTTP", "HTTPS"));
      if (probe.getHttpGet().getPath().chars().anyMatch(c -> c <= ' ' || c == 127)) {
        rules.invalid(at + ".path", probe.getHttpGet().getPath(), "must not contain white space");
      }
      List<HTTPHeader> headers = probe.getHttpGet().getHttpHeaders();
      for (int i = 0; i < headers.size(); i++) {
        String name = headers.get(i).getName();
        String value = headers.get(i).getValue();
        String header = at + ".httpHeaders[" + i + "]";
        if (rules.required(header + ".name", name) && !HEADER.matcher(name).matches()) {
          rules.invalid(
              header + ".name",
              name,
              "a valid HTTP header must consist of alphanumeric characters or '-' (e.g."
                  + " 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
        }
        if (value != null && value.chars().anyMatch(c -> c == '\r' || c == '\n')) {
          rules.invalid(header + ".value", value, "must not contain a line break");
        }
      }
    }
  }

  private void port(String path, @Nullable IntOrString port, Container container) {
    if (port == null) {
      rules.error(path, "Required value");
    } else if (port.getIntVal() != null) {
      rules.inRange(path, port.getIntVal(), 1, 65535);
    } else {
      String name = port.getStrVal();
      rules.portName(path, name);
      if (container.getPorts().stream().noneMatch(p -> name.equals(p.getName()))) {
        rules.warn(path, "the container has no port named \"" + Words.cut(name) + "\"");
      }
    }
  }
}
