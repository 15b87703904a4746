package dev.peapod.pods.api;

import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.log.LogReader;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.pods.supervisor.PodPaths;
import dev.peapod.pods.supervisor.RestartRules;
import dev.peapod.proto.peapod.v1.LogLine;
import dev.peapod.proto.peapod.v1.PodLogs;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/// The `Logs` rpc. Following goes on over restarts of the container, and ends when it will not run
/// again.
final class LogCall {
  private static final int BATCH_BYTES = 32 << 10;
  private static final int BATCH_LINES = 256;
  private static final long PAUSE_MILLIS = 50;

  private final PodBoard board;
  private final PodsConfig config;

  LogCall(PodBoard board, PodsConfig config) {
    this.board = board;
    this.config = config;
  }

  void serve(PodLogsRequest request, Calls.Sender<PodLogs> sender)
      throws IOException, InterruptedException {
    PodKey key = new PodKey(request.getNamespace(), request.getName());
    PodBoard.Entry entry = Targets.pod(board, key.namespace(), key.name());
    Container container = Targets.container(entry.pod(), request.getContainer());
    Batch batch = new Batch(sender, container.getName());
    String uid = entry.pod().getMetadata().getUid();
    int attempt = attempt(entry.pod(), container.getName());
    if (request.getPrevious()) {
      if (attempt < 1) {
        throw new PeapodException(
            Kind.INVALID,
            "previous terminated container \""
                + container.getName()
                + "\" in pod \""
                + key.name()
                + "\" not found");
      }
      attempt--;
    } else if (attempt < 0) {
      if (!request.getFollow()) {
        throw new PeapodException(Kind.FAILED_PRECONDITION, waiting(entry, container.getName()));
      }
      attempt = 0;
    }
    PodPaths paths = PodPaths.of(config, entry.pod());
    long tail = request.hasTailLines() ? Math.max(0, request.getTailLines()) : -1;
    boolean follow = request.getFollow() && !request.getPrevious();
    while (true) {
      int now = attempt;
      try {
        new LogReader(paths.log(container.getName(), now))
            .read(
                tail,
                request.getSinceNs(),
                () -> {
                  batch.flush();
                  return follow && isRunning(key, uid, container.getName(), now);
                },
                batch::add);
        batch.flush();
        tail = -1;
      } catch (NoSuchFileException e) {
        // Not started yet, or removed since.
        if (!follow) {
          throw new PeapodException(
              Kind.NOT_FOUND,
              "the log of container \""
                  + container.getName()
                  + "\" in pod \""
                  + key.name()
                  + "\" is gone");
        }
      } catch (Stopped e) {
        throw new InterruptedException();
      }
      if (!follow || !awaitNext(key, uid, container.getName(), now)) {
        return;
      }
      Optional<PodBoard.Entry> latest = board.get(key);
      attempt = Math.max(now, latest.map(e -> attempt(e.pod(), container.getName())).orElse(now));
    }
  }

  /// Waits until there may be something to read; false if nothing will come any more.
  private boolean awaitNext(PodKey key, String uid, String container, int attempt)
      throws InterruptedException {
    while (true) {
      Optional<PodBoard.Entry> entry = board.get(key);
      if (entry.isEmpty() || !uid.equals(entry.get().pod().getMetadata().getUid())) {
        return false;
      }
      Pod pod = entry.get().pod();
      String phase = pod.getStatus().getPhase();
      if (phase.equals("Succeeded")
          || phase.equals("Failed")
          || pod.getMetadata().getDeletionTimestamp() != null) {
        return attempt(pod, container) > attempt;
      }
      Optional<ContainerStatus> status = Targets.status(pod, container);
      boolean init =
          pod.getSpec().getInitContainers().stream().anyMatch(c -> c.getName().equals(container));
      boolean ended = status.isPresent() && status.get().getState().getTerminated() != null;
      if (ended
          && !RestartRules.runsAgain(
              pod,
              Targets.container(pod, container),
              init,
              status.get().getState().getTerminated().getExitCode())) {
        return false;
      }
      if (attempt(pod, container) > attempt
          || (status.isPresent() && status.get().getState().getRunning() != null)) {
        return true;
      }
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  private boolean isRunning(PodKey key, String uid, String container, int attempt) {
    return board
        .get(key)
        .filter(e -> uid.equals(e.pod().getMetadata().getUid()))
        .filter(e -> attempt(e.pod(), container) == attempt)
        .flatMap(e -> Targets.status(e.pod(), container))
        .filter(s -> s.getState().getRunning() != null)
        .isPresent();
  }

  /// The number of the latest instance; -1 if there was none.
  private static int attempt(Pod pod, String container) {
    return Targets.status(pod, container)
        .filter(s -> s.getContainerID() != null && !s.getContainerID().isEmpty())
        .map(ContainerStatus::getRestartCount)
        .orElse(-1);
  }

  private static String waiting(PodBoard.Entry entry, String container) {
    String reason =
        Targets.status(entry.pod(), container)
            .map(s -> s.getState().getWaiting())
            .map(
                w -> w.getMessage() == null ? w.getReason() : w.getReason() + ": " + w.getMessage())
            .orElse("ContainerCreating");
    return "container \""
        + container
        + "\" in pod \""
        + entry.pod().getMetadata().getName()
        + "\" is waiting to start: "
        + reason;
  }

  /// Puts lines together, so that a chatty log is not one message a line.
  private static final class Batch {
    private final Calls.Sender<PodLogs> sender;
    private PodLogs.Builder logs = PodLogs.newBuilder();
    private int bytes;
    private boolean first = true;

    Batch(Calls.Sender<PodLogs> sender, String container) {
      this.sender = sender;
      logs.setContainer(container);
    }

    void add(dev.peapod.pods.log.LogLine line) {
      logs.addLines(
          LogLine.newBuilder()
              .setTimeNs(line.timeNanos())
              .setStderr(line.stderr())
              .setText(ByteString.copyFrom(line.text()))
              .setPartial(line.partial()));
      bytes += line.text().length;
      if (bytes >= BATCH_BYTES || logs.getLinesCount() >= BATCH_LINES) {
        flush();
      }
    }

    void flush() {
      if (!first && logs.getLinesCount() == 0) {
        return;
      }
      try {
        sender.send(logs.build());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Stopped();
      }
      first = false;
      bytes = 0;
      logs = PodLogs.newBuilder();
    }
  }

  /// The caller has left, noticed where no checked exception can pass.
  private static final class Stopped extends RuntimeException {
    Stopped() {
      super(null, null, false, false);
    }
  }
}
