package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.manifest.FieldTable;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.status.Bare;
import dev.peapod.pods.status.Description;
import dev.peapod.pods.status.JsonPath;
import dev.peapod.pods.status.LabelSelector;
import dev.peapod.pods.status.PodText;
import dev.peapod.pods.status.Summaries;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.EventLog;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.AppliedObject;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.ApplyResponse;
import dev.peapod.proto.peapod.v1.DebugRequest;
import dev.peapod.proto.peapod.v1.DebugResponse;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeleteObjectsResponse;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsResponse;
import dev.peapod.proto.peapod.v1.ExplainRequest;
import dev.peapod.proto.peapod.v1.ExplainResponse;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.ListPodsResponse;
import dev.peapod.proto.peapod.v1.Manifest;
import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodEvent;
import dev.peapod.proto.peapod.v1.PodEventsRequest;
import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodForwardRequest;
import dev.peapod.proto.peapod.v1.PodForwardResponse;
import dev.peapod.proto.peapod.v1.PodLogs;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSignalRequest;
import dev.peapod.proto.peapod.v1.PodSignalResponse;
import dev.peapod.proto.peapod.v1.PodStatsRequest;
import dev.peapod.proto.peapod.v1.PodStatsResponse;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import dev.peapod.proto.peapod.v1.RestartRequest;
import dev.peapod.proto.peapod.v1.RestartResponse;
import dev.peapod.proto.peapod.v1.RestartRolloutRequest;
import dev.peapod.proto.peapod.v1.RestartRolloutResponse;
import dev.peapod.proto.peapod.v1.ScaleRequest;
import dev.peapod.proto.peapod.v1.ScaleResponse;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// `peapod.v1.Pods`.
public final class PodsService extends PodsGrpc.PodsImplBase {
  /// How long a watch stays silent before it says so.
  private static final long BOOKMARK_MILLIS = 30_000;

  private final Fleet fleet;
  private final Manifests manifests;
  private final LogCall logs;
  private final RemoteCalls remote;
  private final ForwardCall forward;
  private final SignalCall signal;
  private final DebugCall debug;
  private final StatsCall stats;
  private final DeleteCall deletion;
  private final ObjectCalls objects;
  private final WorkloadCalls workloads;

  public PodsService(Fleet fleet, Cri cri, StreamClient streams, PodsConfig config) {
    this.fleet = fleet;
    this.manifests = new Manifests(config.shareProcessNamespace());
    this.logs = new LogCall(fleet.board(), config);
    this.remote = new RemoteCalls(fleet.board(), cri, streams);
    this.forward = new ForwardCall(fleet.board(), cri, streams);
    this.signal = new SignalCall(fleet.board(), cri);
    this.debug = new DebugCall(fleet);
    this.stats = new StatsCall(fleet.board(), cri);
    this.objects = new ObjectCalls(fleet);
    this.deletion = new DeleteCall(fleet, objects, this::read);
    this.workloads = new WorkloadCalls(fleet.objects());
  }

  @Override
  public void apply(ApplyRequest request, StreamObserver<ApplyResponse> answer) {
    Calls.serve(
        answer,
        () -> {
          List<dev.peapod.pods.manifest.Manifest> read =
              read(request.getManifestsList(), request.getNamespace());
          long revision = fleet.board().revision();
          long sequence = fleet.events().sequence();
          ApplyResponse.Builder response = ApplyResponse.newBuilder();
          for (Fleet.Applied applied :
              fleet.apply(read, request.getReplace(), request.getDryRun())) {
            response
                .addObjectsBuilder()
                .setKind(applied.manifest().kind())
                .setNamespace(applied.manifest().namespace())
                .setName(applied.manifest().name())
                .addAllWarnings(applied.manifest().warnings())
                .setRevision(revision)
                .setEventSequence(sequence)
                .setResult(
                    switch (applied.result()) {
                      case CREATED -> AppliedObject.Result.CREATED;
                      case UNCHANGED -> AppliedObject.Result.UNCHANGED;
                      case CONFIGURED -> AppliedObject.Result.CONFIGURED;
                      case REPLACED -> AppliedObject.Result.REPLACED;
                    });
          }
          answer.onNext(response.build());
        });
  }

  private List<dev.peapod.pods.manifest.Manifest> read(List<Manifest> texts, String namespace) {
    if (texts.isEmpty()) {
      throw PeapodException.invalid("no manifest is given");
    }
    List<ManifestSource> sources =
        texts.stream()
            .map(m -> new ManifestSource(m.getSource(), m.getContent().toByteArray()))
            .toList();
    return manifests.read(sources, namespace.isEmpty() ? "default" : namespace);
  }

  @Override
  public void get(GetPodRequest request, StreamObserver<Pod> answer) {
    Calls.serve(
        answer,
        () -> {
          PodBoard.Entry entry =
              Targets.pod(fleet.board(), request.getNamespace(), request.getName());
          answer.onNext(pod(entry, request.getView(), request.getTemplate()));
        });
  }

  @Override
  public void list(ListPodsRequest request, StreamObserver<ListPodsResponse> answer) {
    Calls.serve(
        answer,
        () -> {
          Predicate<io.fabric8.kubernetes.api.model.Pod> wanted = filter(request.getSelector());
          PodBoard.Listing listing = fleet.board().list();
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
          answer.onNext(response.build());
        });
  }

  @Override
  public void watch(WatchPodsRequest request, StreamObserver<PodChange> answer) {
    Calls.Sender<PodChange> sender = new Calls.Sender<>(answer);
    Calls.serve(
        answer,
        () -> {
          Predicate<io.fabric8.kubernetes.api.model.Pod> wanted = filter(request.getSelector());
          long revision = request.getAfterRevision();
          if (revision == 0) {
            PodBoard.Listing listing = fleet.board().list();
            revision = listing.revision();
            for (PodBoard.Entry entry : listing.entries()) {
              if (wanted.test(entry.pod())) {
                sender.send(change(PodChange.Type.ADDED, entry, request.getView()));
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
                sender.send(change(type(change.type()), change.entry(), request.getView()));
              }
            }
          }
        });
  }

  private List<PodBoard.Change> changes(long revision) throws InterruptedException {
    try {
      return fleet.board().await(revision, BOOKMARK_MILLIS);
    } catch (PeapodException e) {
      throw Status.OUT_OF_RANGE.withDescription(e.getMessage()).asRuntimeException();
    }
  }

  private List<EventLog.Event> events(boolean follow, long after, Predicate<EventLog.Event> wanted)
      throws InterruptedException {
    try {
      return follow
          ? fleet.events().await(after, wanted, BOOKMARK_MILLIS)
          : fleet.events().after(after, wanted);
    } catch (PeapodException e) {
      throw Status.OUT_OF_RANGE.withDescription(e.getMessage()).asRuntimeException();
    }
  }

  private static PodChange bookmark(long revision) {
    return PodChange.newBuilder().setType(PodChange.Type.BOOKMARK).setRevision(revision).build();
  }

  private PodChange change(PodChange.Type type, PodBoard.Entry entry, PodView view) {
    return PodChange.newBuilder()
        .setType(type)
        .setPod(pod(entry, view, ""))
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

  @Override
  public void delete(DeletePodsRequest request, StreamObserver<DeletePodsResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(deletion.serve(request)));
  }

  @Override
  public void restart(RestartRequest request, StreamObserver<RestartResponse> answer) {
    Calls.serve(
        answer,
        () ->
            answer.onNext(
                RestartResponse.newBuilder()
                    .addAllContainers(
                        fleet.restart(
                            new PodKey(request.getNamespace(), request.getName()),
                            request.getContainer()))
                    .build()));
  }

  @Override
  public void explain(ExplainRequest request, StreamObserver<ExplainResponse> answer) {
    Calls.serve(
        answer,
        () ->
            answer.onNext(
                ExplainResponse.newBuilder()
                    .setText(FieldTable.explain(request.getPath()))
                    .build()));
  }

  @Override
  public void listObjects(ListObjectsRequest request, StreamObserver<ListObjectsResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(objects.list(request)));
  }

  @Override
  public void deleteObjects(
      DeleteObjectsRequest request, StreamObserver<DeleteObjectsResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(objects.delete(request)));
  }

  @Override
  public void watchObjects(ListObjectsRequest request, StreamObserver<ObjectChange> answer) {
    Calls.Sender<ObjectChange> sender = new Calls.Sender<>(answer);
    Calls.serve(answer, () -> objects.watch(request, sender));
  }

  @Override
  public void scale(ScaleRequest request, StreamObserver<ScaleResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(workloads.scale(request)));
  }

  @Override
  public void restartRollout(
      RestartRolloutRequest request, StreamObserver<RestartRolloutResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(workloads.restart(request)));
  }

  @Override
  public void logs(PodLogsRequest request, StreamObserver<PodLogs> answer) {
    Calls.Sender<PodLogs> sender = new Calls.Sender<>(answer);
    Calls.serve(answer, () -> logs.serve(request, sender));
  }

  @Override
  public void events(PodEventsRequest request, StreamObserver<PodEvent> answer) {
    Calls.Sender<PodEvent> sender = new Calls.Sender<>(answer);
    Calls.serve(
        answer,
        () -> {
          PodSelector selector = request.getSelector();
          Predicate<EventLog.Event> wanted =
              event ->
                  (selector.getNamespace().isEmpty()
                          || selector.getNamespace().equals(event.pod().namespace()))
                      && (selector.getName().isEmpty()
                          || selector.getName().equals(event.pod().name()));
          long after = request.getAfterSequence();
          do {
            List<EventLog.Event> found = events(request.getFollow(), after, wanted);
            for (EventLog.Event event : found) {
              sender.send(event(event));
              after = event.sequence();
            }
          } while (request.getFollow());
        });
  }

  @Override
  public StreamObserver<PodExecRequest> exec(StreamObserver<PodExecResponse> answer) {
    return remote.exec(answer);
  }

  @Override
  public StreamObserver<PodExecRequest> attach(StreamObserver<PodExecResponse> answer) {
    return remote.attach(answer);
  }

  @Override
  public StreamObserver<PodForwardRequest> portForward(StreamObserver<PodForwardResponse> answer) {
    return forward.serve(answer);
  }

  @Override
  public void debug(DebugRequest request, StreamObserver<DebugResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(debug.serve(request)));
  }

  @Override
  public void signal(PodSignalRequest request, StreamObserver<PodSignalResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(signal.serve(request)));
  }

  @Override
  public void stats(PodStatsRequest request, StreamObserver<PodStatsResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(stats.serve(filter(request.getSelector()))));
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
        PodKey key = PodKey.of(entry.pod());
        pod.setText(
            Description.of(
                entry.pod(),
                entry.message(),
                fleet.events().after(0, event -> event.pod().equals(key)),
                Instant.now()));
      }
      case POD_VIEW_SUMMARY, UNRECOGNIZED -> {}
    }
    return pod.build();
  }

  private static PodEvent event(EventLog.Event event) {
    return PodEvent.newBuilder()
        .setSequence(event.sequence())
        .setNamespace(event.pod().namespace())
        .setPod(event.pod().name())
        .setContainer(event.container())
        .setType(event.warning() ? "Warning" : "Normal")
        .setReason(event.reason())
        .setMessage(event.message())
        .setFirstNs(nanos(event.first()))
        .setLastNs(nanos(event.last()))
        .setCount(event.count())
        .build();
  }

  private static long nanos(Instant instant) {
    return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
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
