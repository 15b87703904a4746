package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.event.ContainerEvent;
import dev.peapod.engine.event.Events;
import dev.peapod.proto.runtime.v1.ContainerEventResponse;
import dev.peapod.proto.runtime.v1.ContainerEventType;
import io.grpc.stub.StreamObserver;

/// The CRI's stream of what happens.
final class EventCalls {
  private final PodRuntime runtime;

  EventCalls(PodRuntime runtime) {
    this.runtime = runtime;
  }

  /// Listens before it returns, so nothing that happens from then on is missed.
  void events(StreamObserver<ContainerEventResponse> answer) {
    Events.Listener listener = runtime.listen();
    Flow.answer(
        "GetContainerEvents",
        answer,
        flow -> {
          try (listener) {
            while (true) {
              flow.send(response(listener.next()));
            }
          }
        });
  }

  private static ContainerEventResponse response(ContainerEvent event) {
    return ContainerEventResponse.newBuilder()
        .setContainerId(event.id())
        .setContainerEventType(type(event.type()))
        .setCreatedAt(event.at())
        .setPodSandboxStatus(SandboxMapping.status(event.sandbox()))
        .addAllContainersStatuses(
            event.containers().stream().map(ContainerMapping::status).toList())
        .build();
  }

  private static ContainerEventType type(ContainerEvent.Type type) {
    return switch (type) {
      case CREATED -> ContainerEventType.CONTAINER_CREATED_EVENT;
      case STARTED -> ContainerEventType.CONTAINER_STARTED_EVENT;
      case STOPPED -> ContainerEventType.CONTAINER_STOPPED_EVENT;
      case DELETED -> ContainerEventType.CONTAINER_DELETED_EVENT;
    };
  }
}
