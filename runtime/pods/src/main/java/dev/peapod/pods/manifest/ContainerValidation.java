package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.AppArmorProfile;
import io.fabric8.kubernetes.api.model.Capabilities;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerResizePolicy;
import io.fabric8.kubernetes.api.model.ContainerRestartRule;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import io.fabric8.kubernetes.api.model.SecurityContext;
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
  private static final int MAX_RESTART_RULES = 20;

  private final Rules rules;
  private final ProbeValidation probes;

  ContainerValidation(Rules rules) {
    this.rules = rules;
    this.probes = new ProbeValidation(rules);
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
    new EnvironmentValidation(rules).validate(path, container);
    ports(path + ".ports", container.getPorts());
    resources(path + ".resources", container.getResources());
    resizes(path + ".resizePolicy", container, spec);
    new VolumeValidation(rules).mounts(path + ".volumeMounts", container, volumes);
    security(path + ".securityContext", container.getSecurityContext(), spec);
    probes.validate(path, container, spec);
    restarts(path, container);
    rootByName(path, container, spec);
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

  /// Of a container, or of a pod as a whole.
  void resources(String path, @Nullable ResourceRequirements resources) {
    if (resources == null) {
      return;
    }
    Map<String, Quantity> limits = resources.getLimits();
    Map<String, Quantity> requests = resources.getRequests();
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

  private void resizes(String path, Container container, PodSpec spec) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < container.getResizePolicy().size(); i++) {
      ContainerResizePolicy policy = container.getResizePolicy().get(i);
      String at = path + "[" + i + "]";
      if (rules.required(at + ".resourceName", policy.getResourceName())) {
        rules.oneOf(at + ".resourceName", policy.getResourceName(), Set.of("cpu", "memory"));
        if (!names.add(policy.getResourceName())) {
          rules.duplicate(at, policy.getResourceName());
        }
      }
      if (rules.required(at + ".restartPolicy", policy.getRestartPolicy())) {
        rules.oneOf(
            at + ".restartPolicy",
            policy.getRestartPolicy(),
            Set.of("NotRequired", "RestartContainer"));
        if (policy.getRestartPolicy().equals("RestartContainer")
            && "Never".equals(spec.getRestartPolicy())) {
          rules.invalid(
              at + ".restartPolicy",
              policy.getRestartPolicy(),
              "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
      }
    }
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
    return PodResources.text(quantity);
  }

  private static BigDecimal value(Quantity quantity) {
    return PodResources.value(quantity);
  }

  private void security(String path, @Nullable SecurityContext security, PodSpec spec) {
    if (security == null) {
      return;
    }
    identity(path, security.getRunAsUser(), security.getRunAsGroup());
    seccomp(path + ".seccompProfile", security.getSeccompProfile());
    apparmor(path + ".appArmorProfile", security.getAppArmorProfile());
    rules.oneOf(path + ".procMount", security.getProcMount(), Set.of("Default", "Unmasked"));
    if ("Unmasked".equals(security.getProcMount())
        && !Boolean.FALSE.equals(spec.getHostUsers())) {
      rules.forbidden(path + ".procMount", "Unmasked needs `hostUsers: false`");
    }
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
    if (profile == null) {
      return;
    }
    String file = profile.getLocalhostProfile();
    profile(path, profile.getType(), file);
    if (file != null && (file.startsWith("/") || List.of(file.split("/")).contains(".."))) {
      rules.invalid(
          path + ".localhostProfile", file, "must be a relative path without '..' in it");
    }
  }

  void apparmor(String path, @Nullable AppArmorProfile profile) {
    if (profile != null) {
      profile(path, profile.getType(), profile.getLocalhostProfile());
    }
  }

  private void profile(String path, @Nullable String type, @Nullable String name) {
    if (!rules.required(path + ".type", type)) {
      return;
    }
    rules.oneOf(path + ".type", type, Set.of("RuntimeDefault", "Unconfined", "Localhost"));
    String given = name == null ? "" : name;
    if ("Localhost".equals(type)) {
      if (rules.required(path + ".localhostProfile", name) && !given.strip().equals(given)) {
        rules.invalid(path + ".localhostProfile", given, "must not begin or end with white space");
      }
      rules.noNul(path + ".localhostProfile", given);
    } else if (!given.isEmpty()) {
      rules.invalid(path + ".localhostProfile", given, "can only be set when type is Localhost");
    }
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

  private void restarts(String path, Container container) {
    rules.oneOf(
        path + ".restartPolicy",
        container.getRestartPolicy(),
        Set.of("Always", "OnFailure", "Never"));
    List<ContainerRestartRule> restartRules = container.getRestartPolicyRules();
    if (!restartRules.isEmpty() && container.getRestartPolicy() == null) {
      rules.error(
          path + ".restartPolicy",
          "Required value: must specify restartPolicy when restart rules are used");
    }
    if (restartRules.size() > MAX_RESTART_RULES) {
      rules.error(
          path + ".restartPolicyRules",
          "Too many: "
              + restartRules.size()
              + ": must have at most "
              + MAX_RESTART_RULES
              + " items");
    }
    for (int i = 0; i < restartRules.size(); i++) {
      ContainerRestartRule rule = restartRules.get(i);
      String at = path + ".restartPolicyRules[" + i + "]";
      if (rules.required(at + ".action", rule.getAction())) {
        rules.oneOf(at + ".action", rule.getAction(), Set.of("Restart"));
      }
      if (rule.getExitCodes() == null) {
        rules.error(at + ".exitCodes", "Required value: must be specified");
      } else {
        String codes = at + ".exitCodes";
        if (rules.required(codes + ".operator", rule.getExitCodes().getOperator())) {
          rules.oneOf(
              codes + ".operator", rule.getExitCodes().getOperator(), Set.of("In", "NotIn"));
        }
        if (rule.getExitCodes().getValues().isEmpty()) {
          rules.error(codes + ".values", "Required value: at least one value is required");
        }
      }
    }
  }
}
