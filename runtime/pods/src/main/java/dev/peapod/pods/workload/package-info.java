/// Workloads: controllers that compare what Deployments, DaemonSets, Jobs and CronJobs ask for with
/// the pods that are there.
@NullMarked
package dev.peapod.pods.workload;

import org.jspecify.annotations.NullMarked;
