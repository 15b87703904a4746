package dev.peapod.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.cni.plugin.PluginConfig;
import dev.peapod.error.PeapodException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkListTest {
  private static final Path BIN = Path.of("/opt/cni/bin");

  @TempDir Path confDir;

  @Test
  void nothingConfiguredMeansTheBuiltInNetwork() {
    NetworkList list = NetworkList.load(confDir.resolve("none"), BIN, NetworkDefaults.STANDARD);
    assertThat(list.name()).isEqualTo("peapod");
    assertThat(list.plugins())
        .extracting(PluginConfig::type)
        .containsExactly("loopback", "bridge", "portmap");
    assertThat(list.plugins().get(1).keys().text("bridge")).isEqualTo("peapod0");
    assertThat(list.plugins().get(2).takes("portMappings")).isTrue();
  }

  @Test
  void theFirstFileByNameCounts() throws Exception {
    write("20-a.conflist", list("second", "{\"type\": \"loopback\"}"));
    write("10-z.conf", "{\"cniVersion\": \"1.0.0\", \"name\": \"one\", \"type\": \"loopback\"}");
    write("05-x.txt", "not a configuration");
    NetworkList list = NetworkList.load(confDir, BIN, NetworkDefaults.STANDARD);
    assertThat(list.name()).isEqualTo("one");
    assertThat(list.plugins()).extracting(PluginConfig::type).containsExactly("loopback");
    assertThat(list.plugins().getFirst().keys().node().has("name")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{                                                      | not valid JSON",
        "[]                                                     | not a JSON object",
        "{\"name\": \"a\", \"name\": \"b\", \"plugins\": []}    | Duplicate",
        "{\"name\": \"a\", \"plugins\": []}                     | \"cniVersion\" is missing",
        "{\"cniVersion\": \"2.0.0\", \"name\": \"a\", \"plugins\": []} | version 2.0.0 is not sup",
        "{\"cniVersion\": \"1.0.0\", \"plugins\": []}           | \"name\" is missing",
        "{\"cniVersion\": \"1.0.0\", \"name\": \"../a\", \"plugins\": []} | must begin with a letter",
        "{\"cniVersion\": \"1.0.0\", \"name\": \"a\", \"plugins\": []} | \"plugins\" is empty",
        "{\"cniVersion\": \"1.0.0\", \"name\": \"a\", \"plugins\": {}} | \"plugins\" must be a list",
        "{\"cniVersion\": \"1.0.0\", \"name\": \"a\", \"plugins\": [{}]} | \"type\" is missing",
        "{\"cniVersion\": \"1.0.0\", \"name\": \"a\", \"x\": 1, \"plugins\": []} | \"x\" is not supp",
        "{\"cniVersion\": \"1.0.0\", \"name\": 7, \"plugins\": []} | \"name\" must be a string",
      })
  void refusesWhatIsWrongByName(String text, String message) throws Exception {
    write("10.conflist", text);
    assertThatThrownBy(() -> NetworkList.load(confDir, BIN, NetworkDefaults.STANDARD))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(confDir.resolve("10.conflist").toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"type\": \"bridge\"} | \"ipam\" is missing",
        "{\"type\": \"bridge\", \"vlan\": 7, \"ipam\": {}} | \"vlan\" is not supported",
        "{\"type\": \"bridge\", \"mtu\": \"big\", \"ipam\": {}} | \"mtu\" must be a whole number",
        "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\"}} | \"subnet\" or \"ranges\"",
        "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.0.0.1/24\"}}"
            + "| 10.0.0.0/24 is",
        "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.0.0.0/31\"}}"
            + "| too small",
        "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.0.0.0/24\","
            + "\"rangeStart\": \"10.0.1.9\"}} | 10.0.1.9 is not in 10.0.0.0/24",
        "{\"type\": \"portmap\", \"snat\": false} | only true is supported",
        "{\"type\": \"../../bin/sh\"} | no file name of a plugin",
      })
  void refusesWhatAPluginDoesNotUnderstand(String plugin, String message) {
    NetworkList list =
        NetworkList.parse(list("a", plugin).getBytes(), "a.conflist", List.of(BIN));
    assertThatThrownBy(() -> Network.open(list, confDir, new NoHolder()))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("a.conflist: plugin 0")
        .hasMessageContaining(message);
  }

  private static String list(String name, String plugin) {
    return "{\"cniVersion\": \"1.0.0\", \"name\": \"%s\", \"plugins\": [%s]}"
        .formatted(name, plugin);
  }

  private void write(String file, String text) throws Exception {
    Files.writeString(confDir.resolve(file), text);
  }

  private static final class NoHolder implements PortHolder {
    @Override
    public void hold(String sandboxId, List<HeldPort> ports) {}

    @Override
    public void release(String sandboxId) {}
  }
}
