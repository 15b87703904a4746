package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyOnExitCodesRequirement;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyOnPodConditionsPattern;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import io.fabric8.kubernetes.api.model.batch.v1.SuccessPolicyRule;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of a Job's podFailurePolicy and successPolicy.
final class JobPolicyValidation {
  private static final int MOST_RULES = 20;
  private static final int MOST_CONDITIONS = 20;
  private static final int MOST_VALUES = 255;
  private static final int LONGEST_INDEXES = 64 * 1024;

  private final Rules rules;
  private final JobSpec spec;

  /// @param rules below what has the spec
  JobPolicyValidation(Rules rules, JobSpec spec) {
    this.rules = rules;
    this.spec = spec;
  }

  void check() {
    if (spec.getPodFailurePolicy() != null) {
      failurePolicy(spec.getPodFailurePolicy().getRules());
    }
    if (spec.getSuccessPolicy() != null) {
      if (!"Indexed".equals(spec.getCompletionMode())) {
        rules.error("spec.successPolicy", "Invalid value: requires indexed completion mode");
      } else if (spec.getCompletions() != null) {
        successPolicy(spec.getSuccessPolicy().getRules(), spec.getCompletions());
      }
    }
  }

  private void failurePolicy(List<PodFailurePolicyRule> all) {
    String policy = spec.getTemplate().getSpec().getRestartPolicy();
    if ("OnFailure".equals(policy)) {
      rules.invalid(
          "spec.template.spec.restartPolicy",
          policy,
          "only \"Never\" is supported when podFailurePolicy is specified");
    }
    String path = "spec.podFailurePolicy.rules";
    atMost(path, all.size(), MOST_RULES);
    for (int i = 0; i < all.size(); i++) {
      failureRule(path + "[" + i + "]", all.get(i));
    }
  }

  private void failureRule(String path, PodFailurePolicyRule rule) {
    String action = path + ".action";
    if ("FailIndex".equals(rule.getAction()) && spec.getBackoffLimitPerIndex() == null) {
      rules.invalid(action, rule.getAction(), "requires the backoffLimitPerIndex to be set");
    } else {
      oneOf(action, rule.getAction(), List.of("Count", "FailIndex", "FailJob", "Ignore"));
    }
    PodFailurePolicyOnExitCodesRequirement codes = rule.getOnExitCodes();
    List<PodFailurePolicyOnPodConditionsPattern> conditions = rule.getOnPodConditions();
    if (codes != null && !conditions.isEmpty()) {
      rules.error(
          path,
          "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported");
    } else if (codes != null) {
      exitCodes(path + ".onExitCodes", codes);
    } else if (conditions.isEmpty()) {
      rules.error(
          path, "Invalid value: specifying one of OnExitCodes and OnPodConditions is required");
    } else {
      conditions(path + ".onPodConditions", conditions);
    }
  }

  private void conditions(String path, List<PodFailurePolicyOnPodConditionsPattern> conditions) {
    atMost(path, conditions.size(), MOST_CONDITIONS);
    for (int i = 0; i < conditions.size(); i++) {
      String at = path + "[" + i + "]";
      String type = conditions.get(i).getType();
      rules.qualifiedName(at + ".type", type == null ? "" : type);
      oneOf(at + ".status", conditions.get(i).getStatus(), List.of("False", "True", "Unknown"));
    }
  }

  private void exitCodes(String path, PodFailurePolicyOnExitCodesRequirement codes) {
    oneOf(path + ".operator", codes.getOperator(), List.of("In", "NotIn"));
    String name = codes.getContainerName();
    if (name != null && !containers().contains(name)) {
      rules.invalid(
          path + ".containerName",
          name,
          "must be one of the container or initContainer names in the pod template");
    }
    String at = path + ".values";
    List<Integer> values = codes.getValues();
    if (values.isEmpty()) {
      rules.invalid(at, values, "at least one value is required");
    }
    atMost(at, values.size(), MOST_VALUES);
    Set<Integer> seen = new HashSet<>();
    for (int i = 0; i < values.size(); i++) {
      int value = values.get(i);
      if (value == 0 && "In".equals(codes.getOperator())) {
        rules.invalid(at + "[" + i + "]", value, "must not be 0 for the In operator");
      }
      if (!seen.add(value)) {
        rules.duplicate(at + "[" + i + "]", value);
      }
    }
    if (!values.equals(values.stream().sorted().toList())) {
      rules.invalid(at, values, "must be ordered");
    }
  }

  private Set<String> containers() {
    return Stream.concat(
            spec.getTemplate().getSpec().getInitContainers().stream(),
            spec.getTemplate().getSpec().getContainers().stream())
        .map(Container::getName)
        .collect(Collectors.toSet());
  }

  private void successPolicy(List<SuccessPolicyRule> all, int completions) {
    String path = "spec.successPolicy.rules";
    if (all.isEmpty()) {
      rules.error(
          path,
          "Required value: at least one rules must be specified when the successPolicy is specified");
    }
    atMost(path, all.size(), MOST_RULES);
    for (int i = 0; i < all.size(); i++) {
      successRule(path + "[" + i + "]", all.get(i), completions);
    }
  }

  private void successRule(String path, SuccessPolicyRule rule, int completions) {
    Integer count = rule.getSucceededCount();
    String indexes = rule.getSucceededIndexes();
    if (count == null && indexes == null) {
      rules.error(
          path,
          "Required value: at least one of succeededCount or succeededIndexes must be specified");
    }
    int total = completions;
    if (indexes != null) {
      String at = path + ".succeededIndexes";
      if (indexes.length() > LONGEST_INDEXES) {
        rules.error(at, "Too long: may not be more than " + LONGEST_INDEXES + " bytes");
        return;
      }
      try {
        total = IndexText.count(indexes, completions);
      } catch (IllegalArgumentException e) {
        rules.invalid(at, indexes, "error parsing succeededIndexes: " + e.getMessage());
        return;
      }
    }
    if (count != null) {
      String at = path + ".succeededCount";
      rules.notNegative(at, count);
      if (count > completions) {
        rules.invalid(
            at,
            count,
            "must be less than or equal to "
                + completions
                + " (the number of specified completions)");
      } else if (count > total) {
        rules.invalid(
            at,
            count,
            "must be less than or equal to "
                + total
                + " (the number of indexes in the specified succeededIndexes field)");
      }
    }
  }

  private void atMost(String path, int count, int most) {
    if (count > most) {
      rules.error(path, "Too many: " + count + ": must have at most " + most + " items");
    }
  }

  private void oneOf(String path, @Nullable String value, List<String> supported) {
    if (value == null || value.isEmpty()) {
      String list = supported.stream().map(Words::quote).collect(Collectors.joining(" "));
      rules.error(path, "Required value: valid values: [" + list + "]");
    } else {
      rules.oneOf(path, value, supported);
    }
  }
}
