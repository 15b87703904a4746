package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ExecAction;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.HTTPHeader;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Lifecycle;
import io.fabric8.kubernetes.api.model.LifecycleHandler;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of a container's probes and hooks.
final class ProbeValidation {
  private static final Pattern HEADER = Pattern.compile("[-A-Za-z0-9]+");
  private static final Set<String> SIGNALS =
      Arrays.stream(dev.peapod.proto.runtime.v1.Signal.values())
          .map(Enum::name)
          .filter(name -> name.startsWith("SIGNAL_SIG"))
          .map(name -> name.substring(7).replace("PLUS", "+").replace("MINUS", "-"))
          .collect(Collectors.toUnmodifiableSet());

  private final Rules rules;

  ProbeValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(String path, Container container, PodSpec spec) {
    for (String name : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
      probe(path + "." + name, of(container, name), container, !name.equals("readinessProbe"));
    }
    lifecycle(path + ".lifecycle", container, spec);
  }

  static @Nullable Probe of(Container container, String name) {
    return switch (name) {
      case "livenessProbe" -> container.getLivenessProbe();
      case "readinessProbe" -> container.getReadinessProbe();
      default -> container.getStartupProbe();
    };
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
    Long grace = probe.getTerminationGracePeriodSeconds();
    if (grace != null && !onlyOneSuccess) {
      rules.invalid(
          path + ".terminationGracePeriodSeconds", grace, "must not be set for readinessProbes");
    } else if (grace != null && grace <= 0) {
      rules.invalid(path + ".terminationGracePeriodSeconds", grace, "must be greater than 0");
    }
    handlers(
        path, probe.getExec(), probe.getHttpGet(), probe.getTcpSocket(), probe.getGrpc());
    exec(path, probe.getExec());
    http(path, probe.getHttpGet(), container);
    if (probe.getTcpSocket() != null) {
      port(path + ".tcpSocket.port", probe.getTcpSocket().getPort(), container);
    }
    if (probe.getGrpc() != null) {
      if (probe.getGrpc().getPort() == null) {
        rules.error(path + ".grpc.port", "Required value");
      }
      rules.inRange(path + ".grpc.port", probe.getGrpc().getPort(), 1, 65535);
    }
  }

  private void lifecycle(String path, Container container, PodSpec spec) {
    Lifecycle lifecycle = container.getLifecycle();
    if (lifecycle == null) {
      return;
    }
    hook(path + ".postStart", lifecycle.getPostStart(), container, spec);
    hook(path + ".preStop", lifecycle.getPreStop(), container, spec);
    if (lifecycle.getStopSignal() != null) {
      if (spec.getOs() == null) {
        rules.forbidden(
            path + ".stopSignal", "may not be set for containers with empty `spec.os.name`");
      }
      rules.oneOf(path + ".stopSignal", lifecycle.getStopSignal(), SIGNALS);
    }
  }

  private void hook(
      String path, @Nullable LifecycleHandler hook, Container container, PodSpec spec) {
    if (hook == null) {
      return;
    }
    handlers(path, hook.getExec(), hook.getHttpGet(), hook.getSleep());
    exec(path, hook.getExec());
    http(path, hook.getHttpGet(), container);
    if (hook.getSleep() != null) {
      Long seconds = hook.getSleep().getSeconds();
      Long grace = spec.getTerminationGracePeriodSeconds();
      if (seconds == null) {
        rules.error(path + ".sleep.seconds", "Required value");
      } else if (seconds < 0 || (grace != null && seconds > grace)) {
        rules.invalid(
            path + ".sleep",
            seconds,
            "must be non-negative and less than terminationGracePeriodSeconds (" + grace + ")");
      }
    }
  }

  private void handlers(String path, @Nullable Object... handlers) {
    long count = Stream.of(handlers).filter(handler -> handler != null).count();
    if (count == 0) {
      rules.error(path, "Required value: must specify a handler type");
    } else if (count > 1) {
      rules.forbidden(path, "may not specify more than 1 handler type");
    }
  }

  private void exec(String path, @Nullable ExecAction exec) {
    if (exec != null && exec.getCommand().isEmpty()) {
      rules.error(path + ".exec.command", "Required value");
    }
  }

  private void http(String path, @Nullable HTTPGetAction http, Container container) {
    if (http == null) {
      return;
    }
    String at = path + ".httpGet";
    port(at + ".port", http.getPort(), container);
    rules.oneOf(at + ".scheme", http.getScheme(), Set.of("HTTP", "HTTPS"));
    if (http.getPath().chars().anyMatch(c -> c <= ' ' || c == 127)) {
      rules.invalid(at + ".path", http.getPath(), "must not contain white space");
    }
    List<HTTPHeader> headers = http.getHttpHeaders();
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
