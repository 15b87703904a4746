package dev.peapod.pods.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.pods.object.Selectors;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategy;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.DeploymentStrategy;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of Deployments, ReplicaSets and DaemonSets with their
/// defaults, and of what all workloads have.
final class WorkloadValidation {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern PERCENT = Pattern.compile("[0-9]{1,6}%");

  private final Rules rules;

  WorkloadValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(HasMetadata object) {
    new MetadataValidation(rules).validate(object.getMetadata());
    switch (object) {
      case Deployment deployment -> deployment(deployment.getSpec());
      case ReplicaSet set -> {
        rules.notNegative("spec.replicas", set.getSpec().getReplicas());
        rules.notNegative("spec.minReadySeconds", set.getSpec().getMinReadySeconds());
        selector("replica set", set.getSpec().getSelector(), set.getSpec().getTemplate());
        lasting(set.getSpec().getTemplate());
      }
      case DaemonSet set -> {
        rules.notNegative("spec.minReadySeconds", set.getSpec().getMinReadySeconds());
        selector("daemonset", set.getSpec().getSelector(), set.getSpec().getTemplate());
        lasting(set.getSpec().getTemplate());
        updates(set.getSpec().getUpdateStrategy());
      }
      case Job job -> new JobValidation(rules).job(job);
      case CronJob cron -> new JobValidation(rules).cronJob(cron);
      default -> throw new IllegalArgumentException(object.getKind());
    }
  }

  private void deployment(DeploymentSpec spec) {
    rules.notNegative("spec.replicas", spec.getReplicas());
    rules.notNegative("spec.minReadySeconds", spec.getMinReadySeconds());
    rules.notNegative("spec.revisionHistoryLimit", spec.getRevisionHistoryLimit());
    rules.notNegative("spec.progressDeadlineSeconds", spec.getProgressDeadlineSeconds());
    int ready = spec.getMinReadySeconds() == null ? 0 : spec.getMinReadySeconds();
    if (spec.getProgressDeadlineSeconds() >= 0 && spec.getProgressDeadlineSeconds() <= ready) {
      rules.invalid(
          "spec.progressDeadlineSeconds",
          spec.getProgressDeadlineSeconds(),
          "must be greater than minReadySeconds");
    }
    selector("deployment", spec.getSelector(), spec.getTemplate());
    lasting(spec.getTemplate());
    DeploymentStrategy strategy = spec.getStrategy();
    rules.oneOf("spec.strategy.type", strategy.getType(), Set.of("Recreate", "RollingUpdate"));
    if (strategy.getRollingUpdate() == null) {
      return;
    }
    String path = "spec.strategy.rollingUpdate";
    if (strategy.getType().equals("Recreate")) {
      rules.forbidden(path, "may not be specified when strategy `type` is 'Recreate'");
      return;
    }
    IntOrString surge = or0(strategy.getRollingUpdate().getMaxSurge());
    IntOrString unavailable = or0(strategy.getRollingUpdate().getMaxUnavailable());
    boolean readable = share(path + ".maxUnavailable", unavailable);
    readable &= share(path + ".maxSurge", surge);
    atMostAll(path + ".maxUnavailable", unavailable);
    if (readable && isZero(surge) && isZero(unavailable)) {
      rules.invalid(
          path + ".maxUnavailable", shown(unavailable), "may not be 0 when `maxSurge` is 0");
    }
  }

  private void updates(DaemonSetUpdateStrategy strategy) {
    rules.oneOf(
        "spec.updateStrategy.type", strategy.getType(), Set.of("RollingUpdate", "OnDelete"));
    if (strategy.getRollingUpdate() == null) {
      return;
    }
    String path = "spec.updateStrategy.rollingUpdate";
    IntOrString surge = or0(strategy.getRollingUpdate().getMaxSurge());
    IntOrString unavailable = or0(strategy.getRollingUpdate().getMaxUnavailable());
    boolean readable = share(path + ".maxUnavailable", unavailable);
    readable &= share(path + ".maxSurge", surge);
    atMostAll(path + ".maxUnavailable", unavailable);
    atMostAll(path + ".maxSurge", surge);
    if (!readable) {
      return;
    }
    if (!isZero(surge) && !isZero(unavailable)) {
      rules.invalid(
          path + ".maxSurge", shown(surge), "may not be set when maxUnavailable is non-zero");
    } else if (isZero(surge) && isZero(unavailable)) {
      rules.error(path + ".maxUnavailable", "Required value: cannot be 0 when maxSurge is 0");
    }
  }

  private static IntOrString or0(@Nullable IntOrString value) {
    return value == null ? new IntOrString(0) : value;
  }

  private static Object shown(IntOrString value) {
    return value.getStrVal() != null ? value.getStrVal() : value.getIntVal();
  }

  private static boolean isZero(IntOrString value) {
    return value.getStrVal() != null ? value.getStrVal().matches("0+%") : value.getIntVal() == 0;
  }

  /// A number of pods or a share of them; whether it can be read.
  private boolean share(String path, IntOrString value) {
    if (value.getStrVal() == null) {
      rules.notNegative(path, value.getIntVal());
      return value.getIntVal() >= 0;
    }
    if (!PERCENT.matcher(value.getStrVal()).matches()) {
      rules.invalid(
          path,
          value.getStrVal(),
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', "
              + " or '93%', regex used for validation is '[0-9]+%')");
      return false;
    }
    return true;
  }

  private void atMostAll(String path, IntOrString value) {
    String text = value.getStrVal();
    if (text != null
        && PERCENT.matcher(text).matches()
        && Integer.parseInt(text.substring(0, text.length() - 1)) > 100) {
      rules.invalid(path, text, "must not be greater than 100%");
    }
  }

  private void selector(String what, @Nullable LabelSelector selector, PodTemplateSpec template) {
    if (selector == null) {
      rules.error("spec.selector", "Required value");
      return;
    }
    boolean valid = requirements(selector.getMatchExpressions());
    Map<String, String> exact = Selectors.exact(selector);
    exact.forEach(
        (key, value) -> {
          rules.qualifiedName("spec.selector.matchLabels", key);
          rules.labelValue("spec.selector.matchLabels." + key, value);
        });
    if (exact.isEmpty() && selector.getMatchExpressions().isEmpty()) {
      rules.error("spec.selector", "Invalid value: {}: empty selector is invalid for " + what);
    } else if (valid && !Selectors.matches(selector, template.getMetadata().getLabels())) {
      Map<String, String> labels = template.getMetadata().getLabels();
      rules.error(
          "spec.template.metadata.labels",
          "Invalid value: "
              + json(labels == null ? Map.of() : labels)
              + ": `selector` does not match template `labels`");
    }
  }

  private boolean requirements(List<LabelSelectorRequirement> requirements) {
    boolean valid = true;
    for (int i = 0; i < requirements.size(); i++) {
      String path = "spec.selector.matchExpressions[" + i + "]";
      LabelSelectorRequirement requirement = requirements.get(i);
      valid &= rules.required(path + ".key", requirement.getKey());
      if (requirement.getKey() != null && !requirement.getKey().isEmpty()) {
        rules.qualifiedName(path + ".key", requirement.getKey());
      }
      String operator = requirement.getOperator() == null ? "" : requirement.getOperator();
      boolean values = !requirement.getValues().isEmpty();
      switch (operator) {
        case "In", "NotIn" -> {
          if (!values) {
            rules.error(
                path + ".values",
                "Required value: must be specified when `operator` is 'In' or 'NotIn'");
          }
          valid &= values;
        }
        case "Exists", "DoesNotExist" -> {
          if (values) {
            rules.forbidden(
                path + ".values",
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
          }
        }
        default -> {
          rules.invalid(path + ".operator", operator, "not a valid selector operator");
          valid = false;
        }
      }
    }
    return valid;
  }

  private static String json(Object value) {
    try {
      return Words.cut(JSON.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /// A template of pods that run for ever.
  private void lasting(PodTemplateSpec template) {
    rules.oneOf(
        "spec.template.spec.restartPolicy",
        template.getSpec().getRestartPolicy(),
        Set.of("Always"));
    if (template.getSpec().getActiveDeadlineSeconds() != null) {
      rules.forbidden(
          "spec.template.spec.activeDeadlineSeconds",
          "activeDeadlineSeconds in ReplicaSet is not Supported");
    }
    template(rules.below("spec.template"), template);
  }

  /// @param rules below the template
  static void template(Rules rules, PodTemplateSpec template) {
    Pod pod = new Pod("v1", "Pod", template.getMetadata(), template.getSpec(), null);
    new PodValidation(rules).validateTemplate(pod);
  }
}
