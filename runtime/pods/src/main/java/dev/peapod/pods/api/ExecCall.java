package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodExecStart;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import io.fabric8.kubernetes.api.model.Container;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/// The `Exec` rpc as far as CRI's ExecSync carries it: no input, no terminal, the output when the
/// command has ended.
final class ExecCall {
  private final PodBoard board;
  private final Cri cri;

  ExecCall(PodBoard board, Cri cri) {
    this.board = board;
    this.cri = cri;
  }

  StreamObserver<PodExecRequest> serve(StreamObserver<PodExecResponse> answer) {
    AtomicBoolean started = new AtomicBoolean();
    Calls.Deferred deferred = new Calls.Deferred(answer);
    return new StreamObserver<>() {
      @Override
      public void onNext(PodExecRequest request) {
        if (request.hasStart() && started.compareAndSet(false, true)) {
          deferred.serve(() -> run(request.getStart(), answer));
        }
      }

      @Override
      public void onError(Throwable cause) {}

      @Override
      public void onCompleted() {
        if (started.compareAndSet(false, true)) {
          deferred.serve(
              () -> {
                throw PeapodException.invalid("the first message of Exec must be its start");
              });
        }
      }
    };
  }

  private void run(PodExecStart start, StreamObserver<PodExecResponse> answer) {
    if (start.getTty() || start.getStdin()) {
      throw PodsService.unimplemented(
          "exec with a terminal or input is not supported by this version of Peapod");
    }
    if (start.getCommandCount() == 0) {
      throw PeapodException.invalid("no command is given");
    }
    PodKey key = new PodKey(start.getNamespace(), start.getName());
    PodBoard.Entry entry = board.get(key).orElseThrow(() -> PodsService.noSuchPod(key));
    Container container = LogCall.container(entry.pod(), start.getContainer());
    String id =
        entry.pod().getStatus().getContainerStatuses().stream()
            .filter(s -> container.getName().equals(s.getName()))
            .filter(s -> s.getState().getRunning() != null && s.getContainerID() != null)
            .map(s -> s.getContainerID().substring(s.getContainerID().indexOf("//") + 2))
            .findFirst()
            .orElseThrow(
                () ->
                    new PeapodException(
                        Kind.FAILED_PRECONDITION,
                        "container "
                            + container.getName()
                            + " of pod "
                            + key.name()
                            + " is not running"));
    ExecSyncResponse result =
        cri.exec(id, start.getCommandList(), Duration.ofSeconds(start.getTimeoutSeconds()));
    if (!result.getStdout().isEmpty()) {
      answer.onNext(PodExecResponse.newBuilder().setStdout(result.getStdout()).build());
    }
    if (!result.getStderr().isEmpty()) {
      answer.onNext(PodExecResponse.newBuilder().setStderr(result.getStderr()).build());
    }
    answer.onNext(PodExecResponse.newBuilder().setExitCode(result.getExitCode()).build());
  }
}
