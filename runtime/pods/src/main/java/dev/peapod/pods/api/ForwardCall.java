package dev.peapod.pods.api;

import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.stream.RemoteStream;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.stream.StreamConnection;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.PodForwardRequest;
import dev.peapod.proto.peapod.v1.PodForwardResponse;
import dev.peapod.proto.peapod.v1.PodForwardStart;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// The `PortForward` rpc: one connection to a pod's port, over a connection of its own to the
/// runtime, so that none waits for another.
final class ForwardCall {
  private final PodBoard board;
  private final Cri cri;
  private final StreamClient streams;

  ForwardCall(PodBoard board, Cri cri, StreamClient streams) {
    this.board = board;
    this.cri = cri;
    this.streams = streams;
  }

  StreamObserver<PodForwardRequest> serve(StreamObserver<PodForwardResponse> answer) {
    return new Call(answer).requests;
  }

  private final class Call {
    final Requests<PodForwardRequest> requests;
    private final Calls.Sender<PodForwardResponse> sender;

    Call(StreamObserver<PodForwardResponse> answer) {
      this.sender = new Calls.Sender<>(answer);
      Calls.Deferred deferred = new Calls.Deferred(answer);
      this.requests = new Requests<>(answer, () -> deferred.serve(this::run));
    }

    private void run() throws InterruptedException {
      PodForwardStart start = requests.takeStart(PodForwardRequest::hasStart).getStart();
      String url = cri.portForwardUrl(sandbox(start), start.getPort());
      Map<String, String> headers =
          Map.of("port", Integer.toString(start.getPort()), "requestid", "0");
      try (StreamConnection connection = streams.connect(url, StreamClient.PORT_FORWARD)) {
        RemoteStream error = connection.open(with(headers, "error"));
        error.end();
        RemoteStream data = connection.open(with(headers, "data"));
        Thread input = Thread.ofVirtual().name("forward-input").start(() -> passInput(data));
        try {
          for (byte[] part = data.read(); part.length > 0; part = data.read()) {
            sender.send(
                PodForwardResponse.newBuilder().setData(ByteString.copyFrom(part)).build());
          }
          byte[] problem = error.readAll();
          if (problem.length > 0) {
            throw new PeapodException(
                Kind.UNAVAILABLE, new String(problem, StandardCharsets.UTF_8).strip());
          }
        } finally {
          input.interrupt();
        }
      }
    }

    private void passInput(RemoteStream data) {
      try {
        for (Optional<PodForwardRequest> next = requests.take();
            next.isPresent() && !next.get().getClosed();
            next = requests.take()) {
          ByteString bytes = next.get().getData();
          if (!bytes.isEmpty() && !data.write(bytes.toByteArray())) {
            return;
          }
        }
        data.end();
      } catch (InterruptedException e) {
        // The connection is over.
      }
    }
  }

  private static Map<String, String> with(Map<String, String> headers, String type) {
    Map<String, String> all = new java.util.TreeMap<>(headers);
    all.put("streamtype", type);
    return all;
  }

  private String sandbox(PodForwardStart start) {
    if (start.getPort() < 1 || start.getPort() > 65_535) {
      throw PeapodException.invalid("a port is a number between 1 and 65535");
    }
    Pod pod = Targets.pod(board, start.getNamespace(), start.getName()).pod();
    return cri.readySandbox(pod.getMetadata().getUid())
        .orElseThrow(
            () ->
                new PeapodException(
                    Kind.FAILED_PRECONDITION,
                    "pod " + start.getName() + " is not running: it is " + phase(pod)));
  }

  private static String phase(Pod pod) {
    return pod.getStatus() == null ? "Pending" : pod.getStatus().getPhase();
  }
}
