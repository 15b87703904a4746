package dev.peapod.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CommandLineTest {
  @TempDir Path directory;

  @Test
  void flagsCountMoreThanTheFileAndTheFileMoreThanDefaults() throws IOException {
    Path file = file("root: /a\nbridge: fromfile\nlog-level: debug\n");
    Config config =
        run("--config", file.toString(), "--root=/b", "--pod-cidr", "10.99.0.0/24");
    assertThat(config.root()).isEqualTo(Path.of("/b"));
    assertThat(config.bridge()).isEqualTo("fromfile");
    assertThat(config.podCidr()).isEqualTo("10.99.0.0/24");
    assertThat(config.logLevel()).isEqualTo(Level.DEBUG);
    assertThat(config.cniConfDir()).isEqualTo(Path.of("/etc/cni/net.d"));
  }

  @Test
  void socketAndRegistriesFollowTheirDirectories() throws IOException {
    Path file = file("state: /x/state\n");
    Config config = run("--config", file.toString());
    assertThat(config.socket()).isEqualTo(Path.of("/x/state/peapod.sock"));
    assertThat(config.podsCriSocket()).isEqualTo(Path.of("/x/state/pods-cri.sock"));
    assertThat(config.registries()).isEqualTo(directory.resolve("registries.yaml"));
  }

  @Test
  void theDefaultConfigurationIsValidAndChangesNothing() throws IOException {
    Path file = file(printed("config", "default"));
    Path empty = directory.resolve("empty.yaml");
    Files.writeString(empty, "");
    assertThat(run("--config", file.toString()))
        .isEqualTo(run("--config", empty.toString()));
  }

  @Test
  void everySettingIsInTheDefaultConfigurationAndInTheHelp() {
    String defaults = printed("config", "default");
    String help = printed("--help");
    for (Setting setting : Setting.values()) {
      assertThat(defaults).contains("\n" + setting.key() + ": ").contains(setting.description());
      assertThat(help).contains("  --" + setting.key() + " ");
    }
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(printed("--version")).matches("peapodd \\d+\\.\\d+\\.\\d+\\S*\n");
  }

  static Stream<Arguments> badFiles() {
    return Stream.of(
        Arguments.of("root: /a\nrooot: /b\n", "config.yaml:2: unknown key \"rooot\""),
        Arguments.of("root: /a\nstate: /b\nroot: /c\n", "config.yaml:3: root is given twice"),
        Arguments.of("\nroot: [/a]\n", "config.yaml:2: root: expected a single value"),
        Arguments.of("root:\n", "root: expected a single value"),
        Arguments.of("- root\n", "config.yaml:1: expected `key: value` lines"),
        Arguments.of("root: /a\n---\nroot: /b\n", "expected one YAML document"),
        Arguments.of("root: 'a\n", "config.yaml:"),
        Arguments.of("root: a\n", "config.yaml:1: root \"a\": not an absolute path"),
        Arguments.of("\n\nlog-level: loud\n", "config.yaml:3: log-level \"loud\": not one of"),
        Arguments.of("share-process-namespace: yes\n", "config.yaml:1: share-process-namespace"),
        Arguments.of("bridge: a-name-that-is-too-long\n", "config.yaml:1: bridge"),
        Arguments.of("cgroup-parent: /\n", "config.yaml:1: cgroup-parent \"/\""),
        Arguments.of("root: /a\nstate: /a/\n", "config.yaml:2: is the same as root"),
        Arguments.of("state: /" + "s".repeat(110) + "\n", "at most 107 bytes"));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void aBadFileIsRefusedWithItsLine(String content, String message) throws IOException {
    Path file = file(content);
    assertThatThrownBy(() -> run("--config", file.toString()))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.INVALID))
        .hasMessageContaining(message);
  }

  static Stream<Arguments> badArguments() {
    return Stream.of(
        Arguments.of(List.of("--rooot", "/a"), "unknown flag --rooot"),
        Arguments.of(List.of("--root"), "--root needs a value"),
        Arguments.of(List.of("--root", "/a", "--root=/b"), "--root is given twice"),
        Arguments.of(List.of("start"), "unexpected argument \"start\""),
        Arguments.of(List.of("--log-level", "loud"), "--log-level: log-level \"loud\""),
        Arguments.of(List.of("--root", ""), "--root: root \"\": must be neither empty"));
  }

  @ParameterizedTest
  @MethodSource("badArguments")
  void badArgumentsAreRefusedByName(List<String> arguments, String message) {
    assertThatThrownBy(() -> CommandLine.parse(arguments))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aNamedFileMustExist() {
    assertThatThrownBy(() -> run("--config", directory.resolve("none.yaml").toString()))
        .hasMessageContaining("there is no configuration file");
  }

  private Path file(String content) throws IOException {
    return Files.writeString(directory.resolve("config.yaml"), content);
  }

  private static Config run(String... arguments) {
    return ((CommandLine.Run) CommandLine.parse(List.of(arguments))).config();
  }

  private static String printed(String... arguments) {
    return ((CommandLine.Print) CommandLine.parse(List.of(arguments))).text();
  }
}
