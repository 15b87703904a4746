package dev.peapod.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.peapod.error.PeapodException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Lists in which ours and executed plugins stand side by side.
class ExecutedPluginTest {
  /// Notes how it was called, and answers the previous result with another name server.
  private static final String SPY =
      """
      #!/bin/sh
      dir=$(dirname "$0")
      cat > "$dir/stdin.$CNI_COMMAND"
      env | grep ^CNI_ | sort > "$dir/env.$CNI_COMMAND"
      echo "$CNI_COMMAND spy" >> "$dir/calls"
      if [ "$CNI_COMMAND" = ADD ]; then
        jq -c '.prevResult + {dns: {nameservers: ["192.0.2.53"]}}' < "$dir/stdin.ADD"
      fi
      """;

  private static final String FAILING =
      """
      #!/bin/sh
      cat > /dev/null
      echo "$CNI_COMMAND failing" >> "$(dirname "$0")/calls"
      if [ "$CNI_COMMAND" = ADD ]; then
        echo '{"cniVersion": "1.0.0", "code": 11, "msg": "no power", "details": "fuse 7"}'
        exit 1
      fi
      """;

  private static final String CRASHING =
      """
      #!/bin/sh
      echo "out of cheese" >&2
      exit 3
      """;

  private static final String LIST =
      """
      {"cniVersion": "%s", "name": "mixed", "plugins": [
        {"type": "bridge", "bridge": "peanet0", "isDefaultGateway": true, "ipMasq": true,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.231.0.0/24"}]]}},
        {"type": "spy", "colour": "green", "capabilities": {"portMappings": true}},
        {"type": "portmap", "capabilities": {"portMappings": true}}%s]}
      """;

  @TempDir Path directory;
  private Path bin;
  private Path state;
  private NetworkRig rig;

  @BeforeEach
  void open() throws Exception {
    bin = Files.createDirectory(directory.resolve("bin"));
    state = directory.resolve("state");
    install("spy", SPY);
    install("failing", FAILING);
    install("crashing", CRASHING);
    rig = new NetworkRig(state);
  }

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  @Test
  void aProgramStandsInTheMiddleOfOurs() throws Exception {
    ScratchNamespace a = rig.pod();
    Network network = network(LIST.formatted("1.0.0", ""));
    Attachment attachment = network.attach(NetworkRig.request("a", a, NetworkRig.tcp(8080, 80)));
    assertThat(attachment.ips()).containsExactly("10.231.0.2");
    a.serve("10.231.0.2", 80, "a");
    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");

    assertThat(read("env.ADD"))
        .contains(
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=a",
            "CNI_IFNAME=eth0",
            "CNI_NETNS=" + a.path(),
            "CNI_PATH=" + bin,
            "K8S_POD_NAME=a");
    assertThat(read("stdin.ADD"))
        .contains(
            "\"cniVersion\":\"1.0.0\"",
            "\"name\":\"mixed\"",
            "\"colour\":\"green\"",
            "\"prevResult\":{",
            "\"address\":\"10.231.0.2/24\"",
            "\"hostPort\":8080");
    assertThat(Files.readString(state.resolve("network/results/a"))).contains("192.0.2.53");

    network.check("a");
    network.close();
    // Another daemon, with another list, deletes by what was recorded.
    rig.network.detach("a");
    assertThat(read("stdin.DEL")).contains("\"prevResult\":{", "192.0.2.53");
    assertThat(read("calls")).isEqualTo("ADD spy\nCHECK spy\nDEL spy\n");
    assertThat(rig.network.attachment("a")).isEmpty();
    rig.network.detach("a");
    assertThat(read("calls")).isEqualTo("ADD spy\nCHECK spy\nDEL spy\n");
  }

  @Test
  void olderVersionsSayWhichFamilyAnAddressIs() throws Exception {
    Network network = network(LIST.formatted("0.4.0", ""));
    network.attach(NetworkRig.request("a", rig.pod()));
    assertThat(read("stdin.ADD")).contains("\"cniVersion\":\"0.4.0\"", "\"version\":\"4\"");
    network.close();
  }

  @Test
  void aFailureUndoesAllInReverseAndIsOneSentence() throws Exception {
    ScratchNamespace a = rig.pod();
    Network network = network(LIST.formatted("1.0.0", ", {\"type\": \"failing\"}"));
    assertThatThrownBy(
            () -> network.attach(NetworkRig.request("a", a, NetworkRig.tcp(8080, 80))))
        .asInstanceOf(type(PeapodException.class))
        .satisfies(e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.UNAVAILABLE))
        .extracting(Throwable::getMessage)
        .isEqualTo("CNI plugin \"failing\" failed to ADD: no power; fuse 7 (code 11)");
    assertThat(read("calls")).isEqualTo("ADD spy\nADD failing\nDEL failing\nDEL spy\n");
    assertThat(a.exec("ip", "link")).doesNotContain("eth0");
    assertThat(rig.holder.sandboxes()).isEmpty();
    network.shutdownIfUnused();
    assertThat(Files.exists(state.resolve("network"))).isFalse();
    network.close();
  }

  @Test
  void undoingGoesOnPastAFailureAndTellsOfIt() throws Exception {
    ScratchNamespace a = rig.pod();
    Network network =
        network(LIST.formatted("1.0.0", ", {\"type\": \"crashing\"}"));
    assertThatThrownBy(() -> network.attach(NetworkRig.request("a", a)))
        .hasMessageContaining("CNI plugin \"crashing\" failed to ADD: it ended with status 3: out")
        .hasMessageContaining("undoing it failed too: CNI plugin \"crashing\" failed to DEL");
    assertThat(read("calls")).isEqualTo("ADD spy\nDEL spy\n");
    assertThat(a.exec("ip", "link")).doesNotContain("eth0");

    // It stays recorded and can be tried again, now with success.
    assertThatThrownBy(() -> network.detach("a"))
        .hasMessageContaining("crashing");
    install("crashing", "#!/bin/sh\ncat > /dev/null\n");
    network.detach("a");
    assertThat(network.attach(NetworkRig.request("a", a)).ips()).hasSize(1);
    network.close();
  }

  @Test
  void aMissingProgramIsNamed() throws Exception {
    Network network = network(LIST.formatted("1.0.0", ", {\"type\": \"absent\"}"));
    Files.delete(bin.resolve("spy"));
    assertThatThrownBy(() -> network.attach(NetworkRig.request("a", rig.pod())))
        .hasMessageContaining("CNI plugin \"spy\" is not one of Peapod's and not found in");
    network.close();
  }

  private Network network(String list) {
    return rig.open(NetworkList.parse(list.getBytes(), "test.conflist", List.of(bin)));
  }

  private String read(String file) throws Exception {
    return Files.readString(bin.resolve(file));
  }

  private void install(String name, String script) throws Exception {
    Path file = bin.resolve(name);
    Files.writeString(file, script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
