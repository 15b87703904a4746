package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.supervisor.EventLog;
import dev.peapod.proto.peapod.v1.PodEvent;
import dev.peapod.proto.peapod.v1.PodEventsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import io.grpc.Status;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// The rpc that tells what happened.
final class EventCall {
  /// How long it waits for something to happen before it looks whether the caller is still there.
  private static final long LOOK_MILLIS = 30_000;

  private static final Set<String> PODS = Set.of("pod", "pods", "po");

  private final EventLog events;

  EventCall(EventLog events) {
    this.events = events;
  }

  void serve(PodEventsRequest request, Calls.Sender<PodEvent> sender)
      throws InterruptedException {
    PodSelector selector = request.getSelector();
    String kind = kind(request);
    Predicate<EventLog.Event> wanted =
        event ->
            (selector.getNamespace().isEmpty()
                    || selector.getNamespace().equals(event.subject().namespace()))
                && (selector.getName().isEmpty()
                    || selector.getName().equals(event.subject().name()))
                && (kind.isEmpty() || kind.equals(event.subject().kind()));
    long after = request.getAfterSequence();
    do {
      for (EventLog.Event event : events(request.getFollow(), after, wanted)) {
        sender.send(event(event));
        after = event.sequence();
      }
    } while (request.getFollow());
  }

  /// As manifests call it; empty: all kinds.
  private static String kind(PodEventsRequest request) {
    String word = request.getKind();
    if (word.isEmpty()) {
      return request.getSelector().getName().isEmpty() ? "" : EventLog.Subject.POD;
    }
    return PODS.contains(word) ? EventLog.Subject.POD : ObjectCalls.kind(word).kind();
  }

  private List<EventLog.Event> events(boolean follow, long after, Predicate<EventLog.Event> wanted)
      throws InterruptedException {
    try {
      return follow
          ? events.await(after, wanted, LOOK_MILLIS)
          : events.after(after, wanted);
    } catch (PeapodException e) {
      throw Status.OUT_OF_RANGE.withDescription(e.getMessage()).asRuntimeException();
    }
  }

  private static PodEvent event(EventLog.Event event) {
    return PodEvent.newBuilder()
        .setSequence(event.sequence())
        .setKind(event.subject().kind())
        .setNamespace(event.subject().namespace())
        .setPod(event.subject().name())
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
}
