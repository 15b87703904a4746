package dev.peapod.pods.workload;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.workload.JobEnd.Verdict;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Runs a job's pods until enough have succeeded or too many have failed.
final class JobController implements Controller<Job> {
  private final Hands hands;
  private final Waits waits;

  /// How long pods that fail are waited for before there is another.
  interface Waits {
    Duration after(int failures);
  }

  JobController(Hands hands, Waits waits) {
    this.hands = hands;
    this.waits = waits;
  }

  @Override
  public Optional<Instant> reconcile(Job job, Scene scene) throws InterruptedException {
    Instant now = scene.now();
    if (JobEnd.isOver(job)) {
      return expire(job, now);
    }
    boolean suspended = Boolean.TRUE.equals(job.getSpec().getSuspend());
    JobTally tally = new JobTally(job);
    List<Pod> pods = scene.pods(job);
    tally.count(over(job, scene), pods);
    List<Pod> active =
        pods.stream().filter(pod -> !PodFacts.isFinished(pod) && !hands.isGoing(pod)).toList();
    Optional<Verdict> verdict = JobEnd.verdict(job, tally, active, now);
    Optional<Instant> again = Optional.empty();
    if (suspended || verdict.isPresent()) {
      active.forEach(pod -> hands.delete(job, pod));
    } else {
      again = keep(job, tally, active, scene);
    }
    report(job, tally, verdict, suspended, scene);
    return Timing.earliest(again, Timing.future(JobEnd.deadline(job), now));
  }

  /// The pods that count: ended, or on their way out without a controller's doing.
  private Stream<Pod> over(Job job, Scene scene) {
    boolean atOnce = replacesAtOnce(job);
    return Stream.concat(
            scene.pods(job).stream()
                .filter(pod -> PodFacts.isFinished(pod) || (atOnce && hands.isGoing(pod))),
            scene.gone(job).stream())
        .filter(pod -> PodFacts.hasSucceeded(pod) || !hands.isDeletedByUs(pod));
  }

  private static boolean replacesAtOnce(Job job) {
    return !"Failed".equals(job.getSpec().getPodReplacementPolicy());
  }

  /// Makes the pods that are missing, and deletes those that are too many.
  private Optional<Instant> keep(Job job, JobTally tally, List<Pod> active, Scene scene)
      throws InterruptedException {
    int wanted = wanted(job.getSpec(), tally, active.size());
    active.stream()
        .sorted(PodFacts.LEAST_MISSED)
        .limit(Math.max(0, active.size() - wanted))
        .forEach(pod -> hands.delete(job, pod));
    List<Pod> blocking =
        replacesAtOnce(job)
            ? active
            : scene.pods(job).stream().filter(pod -> !PodFacts.isFinished(pod)).toList();
    int missing = wanted - blocking.size();
    if (missing <= 0) {
      return Optional.empty();
    }
    // An index with a limit of its own waits for its own failures alone.
    boolean alone = JobTally.isLimitedByIndex(job);
    Map<Integer, List<Pod>> before =
        scene.pods(job).stream()
            .collect(Collectors.groupingBy(pod -> alone ? JobTally.index(pod) : -1));
    Optional<Instant> again = Optional.empty();
    for (int index : indexes(job, tally, blocking).toArray()) {
      Optional<Instant> due = due(before.getOrDefault(alone ? index : -1, List.of()), scene.now());
      if (due.isPresent() && !alone) {
        return due;
      }
      if (due.isPresent()) {
        again = Timing.earliest(again, due);
        continue;
      }
      Optional<String> problem =
          hands.create(
              job,
              JobPods.name(job, index),
              JobPods.metadata(job, index, tally.failures(index)),
              JobPods.spec(job, index));
      if (problem.isPresent()) {
        return Optional.of(scene.now().plus(Timing.SOON));
      }
      missing--;
      if (missing == 0) {
        break;
      }
    }
    return again;
  }

  /// When there may be a pod after these, if it has to wait.
  private Optional<Instant> due(List<Pod> before, Instant now) {
    JobTally.Failures failures = JobTally.failures(before);
    return failures.inARow() == 0
        ? Optional.empty()
        : Timing.future(Optional.of(failures.last().plus(waits.after(failures.inARow()))), now);
  }

  private static int wanted(JobSpec spec, JobTally tally, int active) {
    if (spec.getCompletions() == null) {
      // A queue of work: once one has found it empty, the others end and there are no more.
      return tally.succeeded() > 0
          ? Math.min(active, spec.getParallelism())
          : spec.getParallelism();
    }
    return Math.min(
        spec.getParallelism(), spec.getCompletions() - tally.succeeded() - tally.lost());
  }

  /// The indexes of the next pods; -1 for pods without.
  private static IntStream indexes(Job job, JobTally tally, List<Pod> blocking) {
    if (!JobTally.isIndexed(job)) {
      return IntStream.generate(() -> -1).limit(job.getSpec().getParallelism());
    }
    Set<Integer> taken = blocking.stream().map(JobTally::index).collect(Collectors.toSet());
    return IntStream.range(0, job.getSpec().getCompletions())
        .filter(index -> !tally.isOver(index) && !taken.contains(index));
  }

  private void report(
      Job job, JobTally tally, Optional<Verdict> verdict, boolean suspended, Scene scene) {
    // Pods that were made just now are not part of the scene: the next pass counts them.
    List<Pod> running = scene.pods(job).stream().filter(pod -> !PodFacts.isFinished(pod)).toList();
    List<Pod> active = running.stream().filter(pod -> !hands.isGoing(pod)).toList();
    JobStatus status =
        tally
            .report(
                active.size(),
                (int) active.stream().filter(PodFacts::isReady).count(),
                running.size() - active.size())
            .build();
    JobEnd.writeSuspension(status, suspended, scene.now());
    if (status.getStartTime() == null && !suspended) {
      status.setStartTime(Timing.text(scene.now()));
    }
    verdict.ifPresent(end -> JobEnd.write(status, end, running.isEmpty(), scene.now()));
    Job next = new JobBuilder(job).withStatus(status).build();
    if (!status.equals(job.getStatus()) && hands.update(job, next)) {
      JobEnd.tell(hands, job, next);
    }
  }

  /// A job that is over may have said how long it is to stay.
  private Optional<Instant> expire(Job job, Instant now) {
    Integer seconds = job.getSpec().getTtlSecondsAfterFinished();
    if (seconds == null) {
      return Optional.empty();
    }
    int stay = seconds;
    Optional<Instant> due = JobEnd.overSince(job).map(at -> at.plusSeconds(stay));
    if (due.filter(at -> !now.isBefore(at)).isPresent()) {
      hands.delete(ObjectKey.of(job));
    }
    return Timing.future(due, now);
  }
}
