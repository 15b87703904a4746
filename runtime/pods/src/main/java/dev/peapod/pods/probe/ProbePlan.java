package dev.peapod.pods.probe;

import java.time.Duration;

/// How often a probe runs and how many outcomes in a row count, with Kubernetes' meanings.
public record ProbePlan(
    ProbeKind kind,
    ProbeAction action,
    Duration initialDelay,
    Duration period,
    Duration timeout,
    int successThreshold,
    int failureThreshold) {}
