package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.status.Bare;
import dev.peapod.pods.status.Description;
import dev.peapod.pods.status.JsonPath;
import dev.peapod.pods.status.LabelSelector;
import dev.peapod.pods.status.PodText;
import dev.peapod.pods.status.Summaries;
import dev.peapod.pods.supervisor.EventLog;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.ListPodsResponse;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// The rpcs that show pods.
final class PodReads {
  /// How long a watch stays silent before it says so.
  private static final long BOOKMARK_MILLIS = 30_000;

  private final PodBoard board;
  private final EventLog events;

  PodReads(PodBoard board, EventLog events) {
    this.board = board;
    this.events = events;
  }

  Pod get(GetPodRequest request) {
    PodBoard.Entry entry = Targets.pod(board, request.getNamespace(), request.getName());
    return pod(entry, request.getView(), request.getTemplate());
  }

  ListPodsResponse list(ListPodsRequest request) {
    Predicate<io.fabric8.kubernetes.api.model.Pod> wanted = filter(request.getSelector());
    PodBoard.Listing listing = board.list();
    List<io.fabric8.kubernetes.api.model.Pod> pods = new ArrayList<>();
    ListPodsResponse.Builder response =
        ListPodsResponse.newBuilder().setRevision(listing.revision());
    for (PodBoard.Entry entry : listing.entries()) {
      if (wanted.test(entry.pod())) {
        response.addPods(pod(entry, request.getView(), ""));
        pods.add(entry.pod());
      }
    }
    if (request.getView() == PodView.POD_VIEW_JSONPATH) {
      response.setText(JsonPath.evaluateList(request.getTemplate(), pods));
    }
    return response.build();
  }

  /// Sends what is there and then what changes, until the caller leaves.
  void watch(WatchPodsRequest request, Calls.Sender<PodChange> sender)
      throws InterruptedException {
    Predicate<io.fabric8.kubernetes.api.model.Pod> wanted = filter(request.getSelector());
    long revision = request.getAfterRevision();
    if (revision == 0) {
      PodBoard.Listing listing = board.list();
      revision = listing.revision();
      for (PodBoard.Entry entry : listing.entries()) {
        if (wanted.test(entry.pod())) {
          sender.send(change(PodChange.Type.ADDED, entry, request));
        }
      }
      sender.send(bookmark(revision));
    }
    while (true) {
      List<PodBoard.Change> changes = changes(revision);
      if (changes.isEmpty()) {
        sender.send(bookmark(revision));
      }
      for (PodBoard.Change change : changes) {
        revision = change.revision();
        if (wanted.test(change.entry().pod())) {
          sender.send(change(type(change.type()), change.entry(), request));
        }
      }
    }
  }

  private List<PodBoard.Change> changes(long revision) throws InterruptedException {
    try {
      return board.await(revision, BOOKMARK_MILLIS);
    } catch (PeapodException e) {
      throw Status.OUT_OF_RANGE.withDescription(e.getMessage()).asRuntimeException();
    }
  }

  private static PodChange bookmark(long revision) {
    return PodChange.newBuilder().setType(PodChange.Type.BOOKMARK).setRevision(revision).build();
  }

  private PodChange change(
      PodChange.Type type, PodBoard.Entry entry, WatchPodsRequest request) {
    return PodChange.newBuilder()
        .setType(type)
        .setPod(pod(entry, request.getView(), request.getTemplate()))
        .setRevision(entry.revision())
        .build();
  }

  private static PodChange.Type type(PodBoard.ChangeType type) {
    return switch (type) {
      case ADDED -> PodChange.Type.ADDED;
      case MODIFIED -> PodChange.Type.MODIFIED;
      case DELETED -> PodChange.Type.DELETED;
    };
  }

  private Pod pod(PodBoard.Entry entry, PodView view, String template) {
    Pod.Builder pod =
        Pod.newBuilder().setSummary(Summaries.of(entry.pod(), entry.message(), entry.revision()));
    switch (view) {
      case POD_VIEW_JSON -> pod.setText(PodText.json(entry.pod()));
      case POD_VIEW_MANIFEST -> pod.setText(PodText.yaml(Bare.of(entry.pod())));
      case POD_VIEW_JSONPATH -> {
        if (!template.isEmpty()) {
          pod.setText(JsonPath.evaluate(template, entry.pod()));
        }
      }
      case POD_VIEW_YAML -> pod.setText(PodText.yaml(entry.pod()));
      case POD_VIEW_DESCRIPTION -> {
        EventLog.Subject subject = EventLog.Subject.of(PodKey.of(entry.pod()));
        pod.setText(
            Description.of(
                entry.pod(),
                entry.message(),
                events.after(0, event -> event.subject().equals(subject)),
                Instant.now()));
      }
      case POD_VIEW_SUMMARY, UNRECOGNIZED -> {}
    }
    return pod.build();
  }

  static Predicate<io.fabric8.kubernetes.api.model.Pod> filter(PodSelector selector) {
    LabelSelector labels = LabelSelector.parse(selector.getLabels());
    List<Predicate<io.fabric8.kubernetes.api.model.Pod>> all = new ArrayList<>();
    if (!selector.getNamespace().isEmpty()) {
      all.add(pod -> selector.getNamespace().equals(pod.getMetadata().getNamespace()));
    }
    if (!selector.getName().isEmpty()) {
      all.add(pod -> selector.getName().equals(pod.getMetadata().getName()));
    }
    all.add(pod -> labels.matches(pod.getMetadata().getLabels()));
    return pod -> all.stream().allMatch(test -> test.test(pod));
  }
}
