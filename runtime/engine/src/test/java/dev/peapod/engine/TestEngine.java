package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.cni.NetworkDefaults;
import dev.peapod.cni.NetworkList;
import dev.peapod.cni.PortMapping;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.DnsSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.PodMetadata;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.image.ImageStore;
import dev.peapod.image.ProgressListener;
import dev.peapod.image.Snapshots;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.cgroup.CgroupDriver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// An engine under roots of its own, with one image, as tests use it; it can be ended and started
/// anew as a daemon would be.
final class TestEngine implements AutoCloseable {
  static final String CGROUP = "/peapod-engine-test";
  static final String BRIDGE = "peaeng0";
  static final String OWNER = "tests";

  final Path root;
  final Path state;
  final Path logs;
  private final int spares;
  private EventLoop loop;
  private ImageStore images;
  private Engine engine;

  TestEngine() throws IOException {
    this(0);
  }

  TestEngine(int spares) throws IOException {
    this.spares = spares;
    root = Files.createTempDirectory("peapod-engine-test");
    state = root.resolve("run");
    logs = Files.createDirectory(root.resolve("logs"));
    loop = EventLoop.start("test-events");
    images = ImageStore.open(root, RegistryConfig.none());
    images.load(OWNER, new ByteArrayInputStream(TestImage.archive()), ProgressListener.NONE);
    engine = start();
  }

  private Engine start() {
    Path none = root.resolve("none");
    return Engine.start(
        new EngineConfig(
            state,
            Path.of(System.getProperty("peapod.native", "")),
            state.resolve("netns"),
            CgroupDriver.CGROUPFS,
            CGROUP,
            spares),
        loop,
        images,
        Snapshots.open(root),
        NetworkList.load(
            none, none, new NetworkDefaults("peapod-test", BRIDGE, "10.232.0.0/24", 0)));
  }

  /// Ends the engine and what it stands on; what runs in pods goes on.
  void shutDown() {
    engine.close();
    loop.close();
    images.close();
  }

  /// Starts all of it again.
  void startAgain() {
    loop = EventLoop.start("test-events");
    images = ImageStore.open(root, RegistryConfig.none());
    engine = start();
  }

  Engine engine() {
    return engine;
  }

  PodRuntime runtime() {
    return engine.owner(OWNER);
  }

  SandboxSpec sandboxSpec(String name) {
    return sandboxSpec(name, NamespaceMode.POD);
  }

  SandboxSpec sandboxSpec(String name, NamespaceMode network) {
    return sandboxSpec(name, network, List.of());
  }

  SandboxSpec sandboxSpec(String name, NamespaceMode network, List<PortMapping> ports) {
    return new SandboxSpec(
        new PodMetadata(name, "uid-" + name, "default", 0),
        "",
        logs.resolve(name).toString(),
        DnsSpec.OF_HOST,
        ports,
        Map.of("app", name),
        Map.of(),
        "",
        "",
        network,
        NamespaceMode.POD,
        NamespaceMode.POD,
        Map.of(),
        false,
        null,
        null,
        ResourceSpec.NONE);
  }

  String sandbox(String name) {
    return runtime().runSandbox(sandboxSpec(name));
  }

  /// A container that runs a shell command.
  static ContainerSpec shell(String name, String script) {
    return command(name, List.of("sh", "-c", script));
  }

  static ContainerSpec command(String name, List<String> command) {
    return Specs.withCommand(ContainerSpec.of(name, TestImage.NAME), command);
  }

  /// Makes and starts a container.
  String run(String sandbox, ContainerSpec spec) {
    String id = runtime().createContainer(sandbox, spec);
    runtime().startContainer(id);
    return id;
  }

  ContainerStatus awaitExit(String id) {
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> runtime().container(id).state() == ContainerState.EXITED);
    return runtime().container(id);
  }

  /// What a container wrote, without times and tags.
  String log(String id) throws IOException {
    return logLines(id).map(line -> line + "\n").reduce("", String::concat);
  }

  private Stream<String> logLines(String id) throws IOException {
    return Stream.of(Files.readString(Path.of(runtime().container(id).logPath())).split("\n"))
        .filter(line -> !line.isEmpty())
        .map(line -> line.split(" ", 4)[3]);
  }

  /// Waits until the log has this in it.
  void awaitLog(String id, String text) {
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .untilAsserted(() -> assertThat(log(id)).contains(text));
  }

  /// Runs a command to its end in a container of its own and answers what it wrote.
  String output(String sandbox, ContainerSpec spec) throws IOException {
    String id = run(sandbox, spec);
    awaitExit(id);
    String log = log(id);
    runtime().removeContainer(id);
    return log;
  }

  /// Removes everything and asserts that nothing is left of it.
  @Override
  public void close() throws IOException {
    for (var sandbox : runtime().sandboxes()) {
      runtime().removeSandbox(sandbox.id());
    }
    shutDown();
    try {
      Leftovers.assertNone(this);
    } finally {
      Leftovers.deleteTree(root);
    }
  }
}
