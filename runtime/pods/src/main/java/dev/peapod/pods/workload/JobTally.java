package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.SuccessPolicy;
import io.fabric8.kubernetes.api.model.batch.v1.SuccessPolicyRule;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How many of a job's pods have succeeded and failed. Each is counted once: those that are counted
/// and still there are written down with the figures, so that a daemon's end between two passes
/// changes nothing.
final class JobTally {
  static final String INDEX = "batch.kubernetes.io/job-completion-index";
  private static final String COUNTED = "countedPods";
  private static final String FAILURES = "failuresOfIndexes";

  private final Job job;
  private final boolean indexed;
  private final BitSet done;
  private final BitSet lost;
  private final Map<Integer, Integer> failures = new TreeMap<>();
  private final Set<String> counted;
  private int succeeded;
  private int failed;
  private Optional<String> ruin = Optional.empty();

  JobTally(Job job) {
    this.job = job;
    JobStatus status = status(job);
    this.indexed = isIndexed(job);
    this.done = Indexes.parse(status.getCompletedIndexes());
    this.lost = Indexes.parse(status.getFailedIndexes());
    this.succeeded = status.getSucceeded() == null ? 0 : status.getSucceeded();
    this.failed = status.getFailed() == null ? 0 : status.getFailed();
    this.counted = new TreeSet<>();
    if (status.getAdditionalProperties().get(COUNTED) instanceof List<?> uids) {
      uids.forEach(uid -> counted.add(String.valueOf(uid)));
    }
    if (status.getAdditionalProperties().get(FAILURES) instanceof Map<?, ?> before) {
      before.forEach(
          (index, count) ->
              failures.put(Integer.valueOf(index.toString()), Integer.valueOf(count.toString())));
    }
  }

  static JobStatus status(Job job) {
    return job.getStatus() == null ? new JobStatus() : job.getStatus();
  }

  static boolean isIndexed(Job job) {
    return "Indexed".equals(job.getSpec().getCompletionMode());
  }

  /// Whether each index has a limit of its own for failures.
  static boolean isLimitedByIndex(Job job) {
    return job.getSpec().getBackoffLimitPerIndex() != null;
  }

  /// The index of an indexed job's pod; -1 if it has none.
  static int index(Pod pod) {
    String label = PodFacts.label(pod, INDEX);
    return label.matches("[0-9]{1,7}") ? Integer.parseInt(label) : -1;
  }

  /// Counts pods that are over.
  ///
  /// @param over pods of the job that have ended, or are on their way out and count as failed
  /// @param present all pods of the job that are there
  void count(Stream<Pod> over, List<Pod> present) {
    over.filter(pod -> counted.add(pod.getMetadata().getUid())).forEach(this::count);
    counted.retainAll(
        present.stream().map(pod -> pod.getMetadata().getUid()).collect(Collectors.toSet()));
  }

  private void count(Pod pod) {
    if (!PodFacts.hasSucceeded(pod)) {
      switch (FailurePolicy.of(job, pod)) {
        case FailurePolicy.Count() -> failed(index(pod));
        case FailurePolicy.Ignore() -> {}
        case FailurePolicy.FailIndex() -> {
          failed++;
          lose(index(pod));
        }
        case FailurePolicy.FailJob(String why) -> {
          failed++;
          ruin = ruin.or(() -> Optional.of(why));
        }
      }
    } else if (!indexed) {
      succeeded++;
    } else if (index(pod) >= 0 && !done.get(index(pod))) {
      done.set(index(pod));
      succeeded = done.cardinality();
    }
  }

  private void failed(int index) {
    failed++;
    Integer limit = job.getSpec().getBackoffLimitPerIndex();
    if (limit != null && index >= 0 && failures.merge(index, 1, Integer::sum) > limit) {
      lose(index);
    }
  }

  private void lose(int index) {
    if (index >= 0 && !done.get(index)) {
      lost.set(index);
    }
  }

  int succeeded() {
    return succeeded;
  }

  int failed() {
    return failed;
  }

  /// Why a pod's failure is the whole job's, if one is.
  Optional<String> ruin() {
    return ruin;
  }

  /// The rule of the job's successPolicy that its succeeded indexes meet, if they do.
  Optional<Integer> successRule() {
    SuccessPolicy policy = job.getSpec().getSuccessPolicy();
    return policy == null
        ? Optional.empty()
        : IntStream.range(0, policy.getRules().size())
            .filter(i -> isMet(policy.getRules().get(i)))
            .boxed()
            .findFirst();
  }

  private boolean isMet(SuccessPolicyRule rule) {
    BitSet counting = (BitSet) done.clone();
    int needed = Integer.MAX_VALUE;
    if (rule.getSucceededIndexes() != null) {
      BitSet wanted = Indexes.parse(rule.getSucceededIndexes());
      counting.and(wanted);
      needed = wanted.cardinality();
    }
    return counting.cardinality()
        >= (rule.getSucceededCount() == null ? needed : rule.getSucceededCount());
  }

  /// Whether an index has succeeded or failed.
  boolean isOver(int index) {
    return done.get(index) || lost.get(index);
  }

  /// How many indexes have failed.
  int lost() {
    return lost.cardinality();
  }

  /// How often the pods of an index have failed, of a job that limits it.
  int failures(int index) {
    return failures.getOrDefault(index, 0);
  }

  /// The job's status with these figures.
  JobStatusBuilder report(int active, int ready, int terminating) {
    JobStatus before = status(job);
    JobStatus status =
        new JobStatusBuilder()
            .withStartTime(before.getStartTime())
            .withCompletionTime(before.getCompletionTime())
            .withConditions(before.getConditions())
            .withActive(active)
            .withReady(ready)
            .withTerminating(terminating)
            .withSucceeded(succeeded == 0 ? null : succeeded)
            .withFailed(failed == 0 ? null : failed)
            .withCompletedIndexes(indexed ? Indexes.text(done) : null)
            .withFailedIndexes(isLimitedByIndex(job) ? Indexes.text(lost) : null)
            .build();
    if (!counted.isEmpty()) {
      status.setAdditionalProperty(COUNTED, new ArrayList<>(counted));
    }
    if (!failures.isEmpty()) {
      Map<String, Object> written = new LinkedHashMap<>();
      failures.forEach((index, count) -> written.put(index.toString(), count));
      status.setAdditionalProperty(FAILURES, written);
    }
    return new JobStatusBuilder(status);
  }

  /// When pods last failed, and how often in a row; those that are there tell.
  record Failures(int inARow, Instant last) {}

  static Failures failures(List<Pod> pods) {
    Instant success =
        pods.stream()
            .filter(PodFacts::hasSucceeded)
            .flatMap(pod -> PodFacts.endedAt(pod).stream())
            .max(Instant::compareTo)
            .orElse(Instant.EPOCH);
    List<Instant> failures =
        pods.stream()
            .filter(pod -> PodFacts.isFinished(pod) && !PodFacts.hasSucceeded(pod))
            .flatMap(pod -> PodFacts.endedAt(pod).stream())
            .filter(at -> at.isAfter(success))
            .sorted()
            .toList();
    return new Failures(failures.size(), failures.isEmpty() ? Instant.EPOCH : failures.getLast());
  }
}
