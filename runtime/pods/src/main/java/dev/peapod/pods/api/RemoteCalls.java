package dev.peapod.pods.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.stream.RemoteStream;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.stream.StreamConnection;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodExecStart;
import dev.peapod.proto.peapod.v1.TerminalSize;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/// The `Exec` and `Attach` rpcs: a runtime's streams passed on. A caller that leaves takes the
/// connection along, which ends the command.
final class RemoteCalls {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TYPE = "streamtype";

  private final PodBoard board;
  private final Cri cri;
  private final StreamClient streams;

  RemoteCalls(PodBoard board, Cri cri, StreamClient streams) {
    this.board = board;
    this.cri = cri;
    this.streams = streams;
  }

  StreamObserver<PodExecRequest> exec(StreamObserver<PodExecResponse> answer) {
    return new Call(answer, this::execUrl).requests;
  }

  StreamObserver<PodExecRequest> attach(StreamObserver<PodExecResponse> answer) {
    return new Call(answer, this::attachUrl).requests;
  }

  private String execUrl(PodExecStart start) {
    if (start.getCommandCount() == 0) {
      throw PeapodException.invalid("no command is given");
    }
    Pod pod = Targets.pod(board, start.getNamespace(), start.getName()).pod();
    Container container = Targets.container(pod, start.getContainer());
    return cri.execUrl(
        Targets.requireRunning(pod, container.getName()),
        start.getCommandList(),
        start.getStdin(),
        !start.getTty(),
        start.getTty());
  }

  private String attachUrl(PodExecStart start) {
    if (start.getCommandCount() > 0) {
      throw PeapodException.invalid("attach takes no command");
    }
    Pod pod = Targets.pod(board, start.getNamespace(), start.getName()).pod();
    Container container = Targets.container(pod, start.getContainer());
    boolean tty = Boolean.TRUE.equals(container.getTty());
    if (start.getTty() && !tty) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "container " + container.getName() + " has no terminal: its manifest does not say tty");
    }
    if (start.getStdin() && !Boolean.TRUE.equals(container.getStdin())) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "container " + container.getName() + " takes no input: its manifest does not say stdin");
    }
    return cri.attachUrl(
        Targets.requireRunning(pod, container.getName()), start.getStdin(), !tty, tty);
  }

  /// The command could not be run, or how it ended is not known.
  private static final class RemoteFailure extends RuntimeException {
    RemoteFailure(String message) {
      super(message, null, false, false);
    }
  }

  /// One call, from its first request on.
  private final class Call {
    final Requests<PodExecRequest> requests;
    private final Function<PodExecStart, String> url;
    private final Calls.Sender<PodExecResponse> sender;
    private final ReentrantLock sending = new ReentrantLock();

    Call(StreamObserver<PodExecResponse> answer, Function<PodExecStart, String> url) {
      this.url = url;
      this.sender = new Calls.Sender<>(answer);
      Calls.Deferred deferred = new Calls.Deferred(answer);
      this.requests = new Requests<>(answer, () -> deferred.serve(this::run));
    }

    private void run() throws InterruptedException {
      PodExecStart start = requests.takeStart(PodExecRequest::hasStart).getStart();
      String at = url.apply(start);
      AtomicBoolean late = new AtomicBoolean();
      try (StreamConnection connection = streams.connect(at, StreamClient.REMOTE_COMMAND)) {
        if (start.getTimeoutSeconds() > 0) {
          connection.after(
              start.getTimeoutSeconds(),
              () -> {
                late.set(connection.isOpen());
                connection.close();
              });
        }
        int code = pass(start, connection);
        if (!late.get()) {
          send(PodExecResponse.newBuilder().setExitCode(code).build());
        }
      } catch (RemoteFailure e) {
        if (!late.get()) {
          throw new PeapodException(Kind.FAILED_PRECONDITION, String.valueOf(e.getMessage()));
        }
      }
      if (late.get()) {
        throw new PeapodException(
            Kind.DEADLINE_EXCEEDED,
            "the command took longer than " + start.getTimeoutSeconds() + "s and was killed");
      }
    }

    private int pass(PodExecStart start, StreamConnection connection) throws InterruptedException {
      RemoteStream error = connection.open(Map.of(TYPE, "error"));
      Optional<RemoteStream> in =
          start.getStdin() ? Optional.of(connection.open(Map.of(TYPE, "stdin"))) : Optional.empty();
      RemoteStream out = connection.open(Map.of(TYPE, "stdout"));
      Optional<RemoteStream> err =
          start.getTty() ? Optional.empty() : Optional.of(connection.open(Map.of(TYPE, "stderr")));
      Optional<RemoteStream> resize =
          start.getTty() ? Optional.of(connection.open(Map.of(TYPE, "resize"))) : Optional.empty();
      Thread input = Thread.ofVirtual().name("exec-input").start(() -> passInput(in, resize));
      Thread second =
          Thread.ofVirtual()
              .name("exec-stderr")
              .start(() -> err.ifPresent(stream -> passQuietly(stream)));
      try {
        pass(out, bytes -> PodExecResponse.newBuilder().setStdout(bytes).build());
        second.join();
        return exitCode(error.readAll(), connection);
      } finally {
        input.interrupt();
        second.interrupt();
      }
    }

    private void passQuietly(RemoteStream stream) {
      try {
        pass(stream, bytes -> PodExecResponse.newBuilder().setStderr(bytes).build());
      } catch (InterruptedException e) {
        // The call is over.
      }
    }

    private void pass(RemoteStream from, Function<ByteString, PodExecResponse> as)
        throws InterruptedException {
      for (byte[] part = from.read(); part.length > 0; part = from.read()) {
        send(as.apply(ByteString.copyFrom(part)));
      }
    }

    private void send(PodExecResponse response) throws InterruptedException {
      sending.lockInterruptibly();
      try {
        sender.send(response);
      } finally {
        sending.unlock();
      }
    }

    private void passInput(Optional<RemoteStream> in, Optional<RemoteStream> resize) {
      try {
        for (Optional<PodExecRequest> next = requests.take();
            next.isPresent();
            next = requests.take()) {
          PodExecRequest request = next.get();
          switch (request.getRequestCase()) {
            case STDIN -> {
              if (in.isPresent() && !request.getStdin().isEmpty()) {
                in.get().write(request.getStdin().toByteArray());
              }
            }
            case STDIN_CLOSED -> in.ifPresent(RemoteStream::end);
            case RESIZE -> {
              if (resize.isPresent()) {
                resize.get().write(size(request.getResize()));
              }
            }
            case START, REQUEST_NOT_SET -> {}
          }
        }
        in.ifPresent(RemoteStream::end);
      } catch (InterruptedException e) {
        // The command has ended.
      }
    }
  }

  private static byte[] size(TerminalSize size) {
    return "{\"Width\":%d,\"Height\":%d}"
        .formatted(size.getColumns(), size.getRows())
        .getBytes(StandardCharsets.UTF_8);
  }

  /// Reads Kubernetes' `Status`.
  private static int exitCode(byte[] text, StreamConnection connection) {
    if (text.length == 0) {
      if (!connection.isOpen()) {
        throw new RemoteFailure("the runtime hung up before the command ended");
      }
      return 0;
    }
    try {
      JsonNode status = JSON.readTree(text);
      if (status.path("status").asText().equals("Success")) {
        return 0;
      }
      for (JsonNode cause : status.path("details").path("causes")) {
        if (cause.path("reason").asText().equals("ExitCode")) {
          return Integer.parseInt(cause.path("message").asText());
        }
      }
      throw new RemoteFailure(status.path("message").asText("the command failed"));
    } catch (IOException | NumberFormatException e) {
      throw new RemoteFailure("the runtime's answer is not understood: " + e.getMessage());
    }
  }
}
