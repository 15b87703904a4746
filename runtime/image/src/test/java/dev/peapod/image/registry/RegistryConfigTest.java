package dev.peapod.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Credentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegistryConfigTest {
  @TempDir Path temp;

  private RegistryConfig load(String yaml) throws IOException {
    return RegistryConfig.load(Files.writeString(temp.resolve("registries.yaml"), yaml));
  }

  private static List<String> bases(RegistryConfig config, String registry) {
    return config.endpoints(registry).stream().map(e -> e.base().toString()).toList();
  }

  @Test
  void readsMirrorsAndHosts() throws IOException {
    RegistryConfig config =
        load(
            """
            mirrors:
              docker.io:
                endpoint: ["https://mirror.example:5000/", "http://other/path"]
              "*":
                endpoint: ["http://10.0.0.1:5000/v2/cache"]
            configs:
              mirror.example:5000:
                auth: {username: u, password: "p:w"}
                tls: {ca_file: /etc/ca.pem}
              plain.example:
                plain_http: true
                auth: {auth: dTpwOnc=}
            """);
    assertThat(bases(config, "docker.io"))
        .containsExactly(
            "https://mirror.example:5000/v2",
            "http://other/path/v2",
            "https://registry-1.docker.io/v2");
    assertThat(bases(config, "ghcr.io"))
        .containsExactly("http://10.0.0.1:5000/v2/cache", "https://ghcr.io/v2");
    assertThat(bases(config, "plain.example")).last().isEqualTo("http://plain.example/v2");
    Endpoint mirror = config.endpoints("docker.io").getFirst();
    assertThat(mirror.mirrored()).hasValue("docker.io");
    assertThat(mirror.settings().caFile()).hasValue(Path.of("/etc/ca.pem"));
    assertThat(mirror.settings().credentials()).hasValue(new Credentials.UserPassword("u", "p:w"));
    assertThat(config.host("plain.example").credentials())
        .hasValue(new Credentials.UserPassword("u", "p:w"));
  }

  @ParameterizedTest
  @CsvSource({
    "localhost, http",
    "localhost:5000, http",
    "a.localhost, http",
    "127.0.0.1:5000, http",
    "127.9.9.9, http",
    "[::1]:5000, http",
    "127.0.0.1.example.com, https",
    "example.com, https",
    "10.0.0.1:5000, https",
  })
  void speaksPlainHttpToLoopbackAlone(String registry, String scheme) {
    assertThat(bases(RegistryConfig.none(), registry))
        .containsExactly(scheme + "://" + registry + "/v2");
  }

  @Test
  void speaksTlsToLoopbackWhereItIsConfigured() throws IOException {
    RegistryConfig config =
        load(
            """
            configs:
              "localhost:1": {tls: {ca_file: /ca}}
              "localhost:2": {plain_http: false}
            """);
    assertThat(bases(config, "localhost:1")).containsExactly("https://localhost:1/v2");
    assertThat(bases(config, "localhost:2")).containsExactly("https://localhost:2/v2");
  }

  @Test
  void readsDockersCredentials() throws IOException {
    Path file =
        Files.writeString(
            temp.resolve("config.json"),
            """
            {"auths": {
              "https://index.docker.io/v1/": {"auth": "dTpw"},
              "ghcr.io": {"identitytoken": "t"},
              "empty.example": {}
            }, "credsStore": "desktop"}
            """);
    RegistryConfig config =
        load("configs: {ghcr.io: {auth: {username: mine}}}").withDockerConfig(file);
    assertThat(config.host("docker.io").credentials())
        .hasValue(new Credentials.UserPassword("u", "p"));
    assertThat(config.host("ghcr.io").credentials())
        .hasValue(new Credentials.UserPassword("mine", ""));
    assertThat(config.host("empty.example").credentials()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mirror: {} | unknown key \"mirror\"",
        "mirrors: {a: {endpoints: []}} | unknown key \"endpoints\" in mirrors.a",
        "mirrors: {a: {endpoint: [\"ftp://x\"]}} | ftp://x",
        "mirrors: {a: {endpoint: [\"http://u:p@x\"]}} | not an http or https address",
        "configs: {a: {tls: {insecure_skip_verify: maybe}}} | must be true or false",
        "configs: {a: {auth: {auth: \"%%\"}}} | not base64",
        "configs: {a: {}, a: {}} | Duplicate",
        "configs: [ | registries.yaml",
        "- a | is not a map",
      })
  void refuses(String yaml, String said) {
    assertThatThrownBy(() -> load(yaml))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said)
        .hasMessageContaining("registries.yaml");
  }

  @Test
  void anEmptyFileSaysNothing() throws IOException {
    assertThat(load("")).isEqualTo(RegistryConfig.none());
    assertThat(load("# nothing\n")).isEqualTo(RegistryConfig.none());
  }

  @Test
  void neverShowsSecrets() throws IOException {
    assertThat(load("configs: {a: {auth: {username: u, password: secret}}}").toString())
        .doesNotContain("secret");
  }
}
