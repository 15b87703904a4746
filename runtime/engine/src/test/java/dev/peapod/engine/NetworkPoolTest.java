package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.cni.PortMapping;
import dev.peapod.cni.Protocol;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Networks that are made ahead of their pods. At the end nothing of them may be left on the machine.
@SuppressWarnings("NullAway.Init")
class NetworkPoolTest {
  private static final int SIZE = 2;

  private TestEngine engine;

  @BeforeEach
  void start() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assumeTrue(TestImage.canBeMade(), "needs busybox in /bin");
    engine = new TestEngine(SIZE);
  }

  @AfterEach
  void end() throws IOException {
    if (engine != null) {
      engine.close();
    }
  }

  private Set<String> spares() {
    try (Stream<Path> files = Files.list(engine.state.resolve("networks"))) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(name -> name.endsWith(".json"))
          .map(name -> name.substring(0, name.length() - ".json".length()))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// Their files are written before they are made: made they are when their results are recorded.
  private Set<String> awaitSpares() {
    await()
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              assertThat(spares()).hasSize(SIZE);
              for (String id : spares()) {
                Path record = engine.state.resolve("network/results").resolve(id);
                assertThat(Files.readAllLines(record)).hasSize(2);
              }
            });
    return spares();
  }

  @Test
  void theNextPodHasOneOfThem() throws IOException {
    assertThat(spares()).as("before the first pod").isEmpty();
    engine.sandbox("first");
    Set<String> ready = awaitSpares();
    String second = engine.sandbox("second");
    assertThat(ready).contains(second);
    assertThat(engine.runtime().sandboxes()).hasSize(2);
    String ip = engine.runtime().sandbox(second).ips().getFirst();
    assertThat(engine.output(second, TestEngine.shell("a", "ip a; hostname; cat /etc/hosts")))
        .contains(ip + "/24")
        .contains("LOOPBACK,UP")
        .contains("\nsecond\n")
        .contains(ip + "\tsecond");
    await().until(() -> !spares().contains(second));
    assertThat(awaitSpares()).doesNotContain(second);
  }

  @Test
  void aPodOfTheHostsNetworkTakesNone() {
    engine.runtime().runSandbox(engine.sandboxSpec("host", NamespaceMode.NODE));
    assertThat(spares()).isEmpty();
  }

  @Test
  void hostPortsAreAddedToIt() throws Exception {
    engine.sandbox("first");
    Set<String> ready = awaitSpares();
    PortMapping port = new PortMapping(Protocol.TCP, 8080, 24681, "");
    String id = engine.runtime().runSandbox(withPorts("ports", List.of(port)));
    assertThat(ready).contains(id);
    engine.run(id, TestEngine.shell("server", "while :; do echo hello | nc -l -p 8080; done"));
    await()
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), 24681)) {
                assertThat(socket.getInputStream().readNBytes(5)).isEqualTo("hello".getBytes());
              }
            });
    awaitSpares();
    assertThatThrownBy(() -> engine.runtime().runSandbox(withPorts("clash", List.of(port))))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("24681");
    assertThat(engine.runtime().sandboxes()).hasSize(2);
  }

  @Test
  void aPodThatCanNotBeMadeGivesItBack() {
    engine.sandbox("first");
    awaitSpares();
    assertThatThrownBy(() -> engine.sandbox("first")).isInstanceOf(PeapodException.class);
    assertThat(engine.runtime().sandboxes()).hasSize(1);
  }

  @Test
  void whatADaemonThatDiedHadMadeIsTakenBack() throws IOException {
    engine.shutDown();
    String id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    Path pin = Files.createDirectories(engine.state.resolve("netns")).resolve(id);
    Path file = Files.createDirectories(engine.state.resolve("networks")).resolve(id + ".json");
    Files.writeString(file, "{\"version\":1,\"id\":\"" + id + "\",\"netns\":\"" + pin + "\"}");
    try (Fd namespace = Namespaces.create(Namespaces.Type.NET)) {
      Namespaces.pin(namespace, pin);
    }
    engine.startAgain();
    assertThat(file).doesNotExist();
    assertThat(pin).doesNotExist();
  }

  private SandboxSpec withPorts(String name, List<PortMapping> ports) {
    return engine.sandboxSpec(name, NamespaceMode.POD, ports);
  }
}
