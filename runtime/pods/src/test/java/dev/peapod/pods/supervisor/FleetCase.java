package dev.peapod.pods.supervisor;

import static org.awaitility.Awaitility.await;

import dev.peapod.linux.cgroup.CgroupDriver;
import dev.peapod.linux.cgroup.CgroupName;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.manifest.Manifest;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.status.Summaries;
import dev.peapod.proto.peapod.v1.PodSummary;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// A fleet over a runtime of maps.
@SuppressWarnings("NullAway.Init")
abstract class FleetCase {
  static final PodKey WEB = new PodKey("default", "web");

  @TempDir Path directory;

  final FakeRuntime runtime = new FakeRuntime();
  Server server;
  ManagedChannel channel;
  PodsConfig config;
  Fleet fleet;

  @BeforeEach
  void start() throws IOException {
    Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    String name = UUID.randomUUID().toString();
    InProcessServerBuilder builder =
        InProcessServerBuilder.forName(name).executor(Executors.newVirtualThreadPerTaskExecutor());
    runtime.services().forEach(builder::addService);
    server = builder.build().start();
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    config =
        PodsConfig.of(directory.resolve("root"), directory.resolve("logs"), new CgroupName(CgroupDriver.CGROUPFS, "/peapod/pods"), "node")
            .withPoll(Duration.ofMillis(20))
            .withBackOff(Duration.ofMillis(50), Duration.ofMillis(400), Duration.ofMinutes(1));
    runtime.addImage("img:1");
    startFleet();
  }

  void startFleet() {
    fleet = new Fleet(new Cri(channel), config, InstantSource.system(), pods -> {});
    fleet.start();
  }

  @AfterEach
  void stop() {
    fleet.close();
    channel.shutdownNow();
    server.shutdownNow();
  }

  static String manifest(String name, String policy, String... containers) {
    StringBuilder text =
        new StringBuilder(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", labels: {app: x}}\nspec:\n");
    text.append("  restartPolicy: ").append(policy).append("\n  containers:\n");
    for (String container : containers) {
      text.append("  - ").append(container).append('\n');
    }
    return text.toString();
  }

  List<Manifest> read(String text) {
    return new Manifests(true)
        .read(List.of(new ManifestSource("t", text.getBytes(StandardCharsets.UTF_8))), "default");
  }

  Fleet.Result apply(String text) throws InterruptedException {
    return fleet.apply(read(text), false, false).getFirst().result();
  }

  PodSummary summary(PodKey key) {
    PodBoard.Entry entry = fleet.board().get(key).orElseThrow();
    return Summaries.of(entry.pod(), entry.message(), entry.revision());
  }

  ContainerStatus container(PodKey key, String name) {
    return pod(key).getStatus().getContainerStatuses().stream()
        .filter(s -> s.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  Pod pod(PodKey key) {
    return fleet.board().get(key).orElseThrow().pod();
  }

  void awaitStatus(String status) {
    await().until(() -> summary(WEB).getStatus(), status::equals);
  }

  boolean happened(String reason) {
    return !fleet.events().after(0, e -> e.reason().equals(reason)).isEmpty();
  }
}
