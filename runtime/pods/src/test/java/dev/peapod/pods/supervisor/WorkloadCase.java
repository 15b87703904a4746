package dev.peapod.pods.supervisor;

import dev.peapod.pods.api.PodsService;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.workload.Workloads;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Workloads over a runtime of maps, with the service that the client calls.
@SuppressWarnings("NullAway.Init")
abstract class WorkloadCase extends FleetCase {
  PodsGrpc.PodsBlockingStub service;
  private Workloads workloads;
  private StreamClient streams;
  private Server served;
  private ManagedChannel client;

  @BeforeEach
  void serve() throws IOException {
    workloads = new Workloads(fleet, config, InstantSource.system());
    workloads.start();
    streams = new StreamClient();
    String name = UUID.randomUUID().toString();
    served =
        InProcessServerBuilder.forName(name)
            .addService(new PodsService(fleet, new Cri(channel), streams, config))
            .build()
            .start();
    client = InProcessChannelBuilder.forName(name).build();
    service = PodsGrpc.newBlockingStub(client);
  }

  @AfterEach
  void end() {
    workloads.close();
    client.shutdownNow();
    served.shutdownNow();
    streams.close();
  }

  /// A document that is there.
  <T extends HasMetadata> T object(ObjectKind kind, String name, Class<T> type) {
    return fleet.objects().get(new ObjectKey(kind, "default", name)).map(type::cast).orElseThrow();
  }

  List<Pod> pods() {
    return fleet.board().list().entries().stream().map(PodBoard.Entry::pod).toList();
  }

  /// What happened to workloads of a kind: `REASON MESSAGE` of each.
  List<String> events(String kind) {
    return fleet.events().after(0, event -> event.subject().kind().equals(kind)).stream()
        .map(event -> event.reason() + " " + event.message())
        .toList();
  }
}
