package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.manifest.FieldTable;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.Fleet;
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
import dev.peapod.proto.peapod.v1.PodSignalRequest;
import dev.peapod.proto.peapod.v1.PodSignalResponse;
import dev.peapod.proto.peapod.v1.PodStatsRequest;
import dev.peapod.proto.peapod.v1.PodStatsResponse;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import dev.peapod.proto.peapod.v1.RestartRequest;
import dev.peapod.proto.peapod.v1.RestartResponse;
import dev.peapod.proto.peapod.v1.RestartRolloutRequest;
import dev.peapod.proto.peapod.v1.RestartRolloutResponse;
import dev.peapod.proto.peapod.v1.RolloutHistoryRequest;
import dev.peapod.proto.peapod.v1.RolloutHistoryResponse;
import dev.peapod.proto.peapod.v1.ScaleRequest;
import dev.peapod.proto.peapod.v1.ScaleResponse;
import dev.peapod.proto.peapod.v1.UndoRolloutRequest;
import dev.peapod.proto.peapod.v1.UndoRolloutResponse;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;

/// `peapod.v1.Pods`.
public final class PodsService extends PodsGrpc.PodsImplBase {
  private final Fleet fleet;
  private final Manifests manifests;
  private final PodReads reads;
  private final EventCall events;
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
    this.reads = new PodReads(fleet.board(), fleet.events());
    this.events = new EventCall(fleet.events());
    this.logs = new LogCall(fleet.board(), config);
    this.remote = new RemoteCalls(fleet.board(), cri, streams);
    this.forward = new ForwardCall(fleet.board(), cri, streams);
    this.signal = new SignalCall(fleet.board(), cri);
    this.debug = new DebugCall(fleet, new DebugCopy(fleet, this::read));
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
    Calls.serve(answer, () -> answer.onNext(reads.get(request)));
  }

  @Override
  public void list(ListPodsRequest request, StreamObserver<ListPodsResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(reads.list(request)));
  }

  @Override
  public void watch(WatchPodsRequest request, StreamObserver<PodChange> answer) {
    Calls.Sender<PodChange> sender = new Calls.Sender<>(answer);
    Calls.serve(answer, () -> reads.watch(request, sender));
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
  public void rolloutHistory(
      RolloutHistoryRequest request, StreamObserver<RolloutHistoryResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(workloads.history(request)));
  }

  @Override
  public void undoRollout(
      UndoRolloutRequest request, StreamObserver<UndoRolloutResponse> answer) {
    Calls.serve(answer, () -> answer.onNext(workloads.undo(request)));
  }

  @Override
  public void logs(PodLogsRequest request, StreamObserver<PodLogs> answer) {
    Calls.Sender<PodLogs> sender = new Calls.Sender<>(answer);
    Calls.serve(answer, () -> logs.serve(request, sender));
  }

  @Override
  public void events(PodEventsRequest request, StreamObserver<PodEvent> answer) {
    Calls.Sender<PodEvent> sender = new Calls.Sender<>(answer);
    Calls.serve(answer, () -> events.serve(request, sender));
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
    Calls.serve(answer, () -> answer.onNext(stats.serve(request.getSelector())));
  }
}
