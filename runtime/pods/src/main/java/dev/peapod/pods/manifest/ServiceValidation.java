package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// What Kubernetes' API server checks of a service, and what can be had of one where nothing is between a service's name
/// and its pods.
final class ServiceValidation {
  static final String NO_PROXY =
      "nothing is between a service's name and its pods here: who asks gets the pods' own addresses";

  private static final Pattern NAME = Pattern.compile("[a-z]([-a-z0-9]*[a-z0-9])?");
  private static final String NAME_WORDS =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
          + " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or"
          + " 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
  private static final String NONE = "None";
  private static final int LONGEST_NAME = 63;
  private static final int MOST_PORT = 65_535;

  private final Rules rules;

  ServiceValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(Service service) {
    String name = service.getMetadata().getName();
    if (rules.required("metadata.name", name)) {
      if (name.length() > LONGEST_NAME) {
        rules.invalid("metadata.name", name, "must be no more than 63 characters");
      } else if (!NAME.matcher(name).matches()) {
        rules.invalid("metadata.name", name, NAME_WORDS);
      }
    }
    rules.label("metadata.namespace", service.getMetadata().getNamespace());
    new MetadataValidation(rules).words(service.getMetadata());
    ServiceSpec spec = service.getSpec();
    boolean external = "ExternalName".equals(spec.getType());
    type(spec);
    if (external) {
      external(spec);
    } else {
      address(spec);
      selector(spec);
    }
    family(spec);
    ports(spec, external);
    others(spec);
  }

  private void type(ServiceSpec spec) {
    rules.oneOf(
        "spec.type",
        spec.getType(),
        Set.of("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"));
    if (spec.getType().equals("NodePort") || spec.getType().equals("LoadBalancer")) {
      unsupported(
          "spec.type", spec.getType(), NO_PROXY + "; use hostPort of the pods' containers");
    }
  }

  private void unsupported(String path, String value, String why) {
    rules.forbidden(path, value + " is not supported by this version of Peapod: " + why);
  }

  private void external(ServiceSpec spec) {
    if (rules.required("spec.externalName", spec.getExternalName())) {
      String name = spec.getExternalName();
      rules.subdomain(
          "spec.externalName", name.endsWith(".") ? name.substring(0, name.length() - 1) : name);
    }
    if (spec.getClusterIP() != null && !spec.getClusterIP().isEmpty()) {
      rules.forbidden("spec.clusterIP", "may not be set when `type` is 'ExternalName'");
    }
    if (!spec.getClusterIPs().isEmpty()) {
      rules.forbidden("spec.clusterIPs", "may not be set when `type` is 'ExternalName'");
    }
  }

  private void address(ServiceSpec spec) {
    String address = spec.getClusterIP();
    if (address != null && !address.isEmpty() && !address.equals(NONE)) {
      unsupported("spec.clusterIP", Words.quote(address), NO_PROXY + "; say None, or nothing");
    }
    for (int i = 0; i < spec.getClusterIPs().size(); i++) {
      if (!NONE.equals(spec.getClusterIPs().get(i))) {
        String shown = Words.quote(spec.getClusterIPs().get(i));
        unsupported("spec.clusterIPs[" + i + "]", shown, NO_PROXY + "; say None, or nothing");
      }
    }
    if (spec.getExternalName() != null) {
      rules.forbidden("spec.externalName", "may only be set when `type` is 'ExternalName'");
    }
  }

  private void selector(ServiceSpec spec) {
    if (spec.getSelector() == null || spec.getSelector().isEmpty()) {
      rules.error(
          "spec.selector",
          "Required value: there are no Endpoints objects here that would say whom a service"
              + " without a selector is for");
      return;
    }
    spec.getSelector()
        .forEach(
            (key, value) -> {
              rules.qualifiedName("spec.selector", key);
              rules.labelValue("spec.selector", value);
            });
  }

  private void family(ServiceSpec spec) {
    rules.oneOf(
        "spec.ipFamilyPolicy",
        spec.getIpFamilyPolicy(),
        Set.of("SingleStack", "PreferDualStack", "RequireDualStack"));
    if (spec.getIpFamilyPolicy() != null && spec.getIpFamilyPolicy().endsWith("DualStack")) {
      unsupported(
          "spec.ipFamilyPolicy", spec.getIpFamilyPolicy(), "a pod's addresses are those it has");
    }
    for (int i = 0; i < spec.getIpFamilies().size(); i++) {
      String path = "spec.ipFamilies[" + i + "]";
      String family = spec.getIpFamilies().get(i);
      rules.oneOf(path, family, Set.of("IPv4", "IPv6"));
      if (family.equals("IPv6")) {
        unsupported(path, family, "a pod's addresses are those it has");
      }
    }
  }

  private void ports(ServiceSpec spec, boolean external) {
    List<ServicePort> ports = spec.getPorts();
    boolean headless = NONE.equals(spec.getClusterIP()) || spec.getClusterIPs().contains(NONE);
    if (ports.isEmpty() && !external && !headless) {
      rules.error("spec.ports", "Required value");
    }
    Set<String> names = new HashSet<>();
    Set<String> numbers = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      ServicePort port = ports.get(i);
      String path = "spec.ports[" + i + "]";
      if (port.getName() == null || port.getName().isEmpty()) {
        if (ports.size() > 1) {
          rules.error(path + ".name", "Required value");
        }
      } else {
        rules.label(path + ".name", port.getName());
        if (!names.add(port.getName())) {
          rules.duplicate(path + ".name", port.getName());
        }
      }
      Integer number = port.getPort();
      rules.inRange(path + ".port", number == null ? 0 : number, 1, MOST_PORT);
      rules.oneOf(path + ".protocol", port.getProtocol(), Set.of("SCTP", "TCP", "UDP"));
      if (!numbers.add(port.getProtocol() + "/" + number)) {
        rules.duplicate(path, port.getProtocol() + "/" + number);
      }
      if (port.getAppProtocol() != null) {
        rules.qualifiedName(path + ".appProtocol", port.getAppProtocol());
      }
      if (port.getTargetPort() != null) {
        target(path + ".targetPort", port, headless || external);
      }
    }
  }

  private void target(String path, ServicePort port, boolean headless) {
    IntOrString target = port.getTargetPort();
    if (target.getIntVal() != null) {
      rules.inRange(path, target.getIntVal(), 1, MOST_PORT);
    } else {
      rules.portName(path, target.getStrVal());
    }
    if (!headless && !target.getValue().equals(port.getPort())) {
      rules.forbidden(
          path,
          "must be that of `port`: "
              + NO_PROXY
              + ". With `clusterIP: None` it may be another one, which SRV records tell");
    }
  }

  private void others(ServiceSpec spec) {
    rules.oneOf("spec.sessionAffinity", spec.getSessionAffinity(), Set.of("ClientIP", NONE));
    if ("ClientIP".equals(spec.getSessionAffinity())) {
      unsupported("spec.sessionAffinity", "ClientIP", NO_PROXY);
    }
    rules.oneOf(
        "spec.internalTrafficPolicy", spec.getInternalTrafficPolicy(), Set.of("Cluster", "Local"));
  }
}
