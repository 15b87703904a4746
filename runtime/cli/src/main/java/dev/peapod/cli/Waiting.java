package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.AppliedObject;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodEvent;
import dev.peapod.proto.peapod.v1.PodEventsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;

/// Waits for pods to become something.
final class Waiting {
  private static final Set<String> HOPELESS =
      Set.of(
          "ErrImagePull",
          "ImagePullBackOff",
          "ErrImageNeverPull",
          "InvalidImageName",
          "CreateContainerConfigError",
          "CreateContainerError",
          "RunContainerError",
          "CrashLoopBackOff");

  private Waiting() {}

  /// Whether a container that waits for this will not start before somebody does something.
  static boolean isHopeless(String reason) {
    return HOPELESS.contains(reason);
  }

  /// Decides about a pod; `gone` pods come as they were last.
  interface Verdict {
    /// Whether the wait is over.
    ///
    /// @throws Failure if it will never be
    boolean isDone(PodSummary pod, boolean gone);
  }

  /// Waits for what was applied, telling on stderr what happens meanwhile.
  static int untilReady(Daemon daemon, List<AppliedObject> objects, Duration patience) {
    if (Screen.errorIsTerminal()) {
      follow(daemon, objects);
    }
    long deadline = System.nanoTime() + patience.toNanos();
    for (AppliedObject object : objects) {
      PodSelector selector =
          PodSelector.newBuilder()
              .setNamespace(object.getNamespace())
              .setName(object.getName())
              .build();
      until(daemon, selector, Duration.ofNanos(deadline - System.nanoTime()), Waiting::isUp);
      System.out.println("pod/" + object.getName() + " ready");
      System.out.flush();
    }
    return 0;
  }

  private static boolean isUp(PodSummary pod, boolean gone) {
    String what = "pod " + pod.getNamespace() + "/" + pod.getName();
    if (gone) {
      throw new Failure(what + " was deleted meanwhile");
    }
    if (isTrue(pod, "Ready") || pod.getPhase().equals("Succeeded")) {
      return true;
    }
    String status =
        pod.getStatus().startsWith("Init:") ? pod.getStatus().substring(5) : pod.getStatus();
    boolean hopeless =
        HOPELESS.contains(status)
            || pod.getPhase().equals("Failed")
            || (pod.getPhase().equals("Pending") && !pod.getMessage().isEmpty());
    if (hopeless) {
      throw new Failure(
          what
              + " does not start: "
              + (pod.getMessage().isEmpty() ? pod.getStatus() : pod.getMessage()));
    }
    return false;
  }

  static boolean isTrue(PodSummary pod, String condition) {
    return pod.getConditionsList().stream()
        .anyMatch(c -> c.getType().equals(condition) && c.getStatus().equals("True"));
  }

  /// Watches the pods that match until each of those there were at the start, or one that appears,
  /// is done.
  static void until(Daemon daemon, PodSelector selector, Duration patience, Verdict verdict) {
    WatchPodsRequest request = WatchPodsRequest.newBuilder().setSelector(selector).build();
    until(daemon, request, patience, false, (pod, gone) -> verdict.isDone(pod.getSummary(), gone));
  }

  /// The same until each of them is as it is to be.
  static void until(Daemon daemon, PodSelector selector, Duration patience, Goal goal) {
    WatchPodsRequest request =
        WatchPodsRequest.newBuilder()
            .setSelector(selector)
            .setView(goal.view())
            .setTemplate(goal.template())
            .build();
    until(
        daemon,
        request,
        patience,
        goal instanceof Goal.Create,
        (pod, gone) ->
            goal.isMet(
                gone,
                pod.getSummary().getPhase(),
                pod.getSummary().getConditionsList(),
                pod.getText()));
  }

  /// @param later whether pods that are not there yet are waited for too
  private static void until(
      Daemon daemon,
      WatchPodsRequest request,
      Duration patience,
      boolean later,
      BiPredicate<Pod, Boolean> done) {
    PodSelector selector = request.getSelector();
    Set<String> pending = new HashSet<>();
    boolean any = false;
    boolean listed = false;
    try {
      Iterator<PodChange> changes =
          daemon
              .pods()
              .withDeadlineAfter(Math.max(1, patience.toMillis()), TimeUnit.MILLISECONDS)
              .watch(request);
      while (changes.hasNext()) {
        PodChange change = changes.next();
        if (change.getType() == PodChange.Type.BOOKMARK) {
          listed = true;
        } else {
          any = true;
          String uid = change.getPod().getSummary().getUid();
          if (done.test(change.getPod(), change.getType() == PodChange.Type.DELETED)) {
            pending.remove(uid);
          } else {
            pending.add(uid);
          }
        }
        if (listed && any && pending.isEmpty()) {
          return;
        }
        if (listed && !any && !later) {
          throw new Failure(
              selector.getName().isEmpty()
                  ? "no pods match"
                  : "pods \""
                      + selector.getName()
                      + "\" not found in namespace \""
                      + selector.getNamespace()
                      + "\"");
        }
      }
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
        String what = selector.getName().isEmpty() ? "the pods" : "pod/" + selector.getName();
        throw new Failure("timed out waiting for " + what);
      }
      throw e;
    }
  }

  private static void follow(Daemon daemon, List<AppliedObject> objects) {
    for (AppliedObject object : objects) {
      daemon
          .podsAsync()
          .events(
              PodEventsRequest.newBuilder()
                  .setSelector(
                      PodSelector.newBuilder()
                          .setNamespace(object.getNamespace())
                          .setName(object.getName()))
                  .setAfterSequence(object.getEventSequence())
                  .setFollow(true)
                  .build(),
              new StreamObserver<PodEvent>() {
                @Override
                public void onNext(PodEvent event) {
                  String who = event.getContainer().isEmpty() ? "" : event.getContainer() + ": ";
                  System.err.println("  " + Texts.clean(who + event.getMessage()));
                }

                @Override
                public void onError(Throwable cause) {}

                @Override
                public void onCompleted() {}
              });
    }
  }
}
