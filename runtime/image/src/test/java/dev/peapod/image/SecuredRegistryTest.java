package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.LayoutBuilder;
import dev.peapod.image.testing.RealRegistry;
import dev.peapod.image.testing.TarBuilder;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pulling from a real registry that has HTTPS, an authority of its own, and users.
class SecuredRegistryTest {
  private static final String PASSWORD = "s3cret";

  /// bcrypt of the password, as htpasswd makes it.
  private static final String USERS =
      "peapod:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";

  @TempDir static Path shared;
  private static Path authority;
  private static RealRegistry registry;

  @TempDir Path root;

  @BeforeAll
  static void start() throws Exception {
    Commands.requireRoot();
    Commands.require("openssl", "docker-registry", "skopeo");
    authority = shared.resolve("ca.pem");
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
            + " -subj /CN=test-authority -keyout ca.key -out ca.pem");
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            + " -subj /CN=registry -keyout registry.key -out registry.csr");
    Files.writeString(shared.resolve("san"), "subjectAltName=IP:127.0.0.1\n");
    openssl(
        "x509 -req -in registry.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30"
            + " -extfile san -out registry.pem");
    registry =
        RealRegistry.startSecured(
            Files.createDirectory(shared.resolve("registry")),
            shared.resolve("registry.pem"),
            shared.resolve("registry.key"),
            USERS,
            "peapod:" + PASSWORD);
    LayoutBuilder builder = new LayoutBuilder();
    LayoutBuilder.Made image =
        builder.image("", LayoutBuilder.Layer.gzip(new TarBuilder().file("hello", 0644, "hello")));
    builder.top(
        image.manifest(),
        LayoutBuilder.MANIFEST,
        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"one\"}");
    builder.write(shared.resolve("layout"));
    registry.push(shared.resolve("layout"), "one", "app:1");
  }

  private static void openssl(String arguments) throws Exception {
    Commands.run("sh", "-c", "cd '" + shared + "' && openssl " + arguments + " 2>&1");
  }

  @AfterAll
  static void stop() {
    if (registry != null) {
      registry.close();
    }
  }

  private RegistryConfig config(String more) throws IOException {
    Path file = root.resolve("registries.yaml");
    Files.writeString(file, "configs:\n  \"" + registry.host() + "\": {" + more + "}\n");
    return RegistryConfig.load(file);
  }

  private Image pull(RegistryConfig config, String name, Optional<Credentials> credentials) {
    try (ImageStore store = ImageStore.open(root, config)) {
      return store.pull("pods", Reference.parse(name), credentials, ProgressListener.NONE);
    }
  }

  private Image pull(RegistryConfig config, Optional<Credentials> credentials) {
    return pull(config, registry.host() + "/app:1", credentials);
  }

  private static Optional<Credentials> password(String password) {
    return Optional.of(new Credentials.UserPassword("peapod", password));
  }

  private void assertFails(Kind kind, String said, RegistryConfig config, String password) {
    assertThatThrownBy(() -> pull(config, password(password)))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(kind));
  }

  @Test
  void trustsAConfiguredAuthority() throws IOException {
    Image image = pull(config("tls: {ca_file: " + authority + "}"), password(PASSWORD));
    assertThat(image.layers().getFirst().resolve("hello")).hasContent("hello");
  }

  @Test
  void takesCredentialsFromTheConfiguration() throws IOException {
    String both =
        "tls: {ca_file: " + authority + "}, auth: {username: peapod, password: " + PASSWORD + "}";
    assertThat(pull(config(both), Optional.empty()).layers()).hasSize(1);
  }

  @Test
  void servesAsAMirror() throws IOException {
    String both =
        "tls: {ca_file: " + authority + "}, auth: {username: peapod, password: " + PASSWORD + "}";
    RegistryConfig config =
        new RegistryConfig(
            Map.of("example.com", List.of(URI.create("https://" + registry.host()))),
            config(both).hosts());
    assertThat(pull(config, "example.com/app:1", Optional.empty()).tags())
        .containsExactly("example.com/app:1");
  }

  @Test
  void canBeToldNotToVerify() throws IOException {
    RegistryConfig config = config("tls: {insecure_skip_verify: true}");
    assertThat(pull(config, password(PASSWORD)).layers()).hasSize(1);
  }

  @Test
  void saysWhyItDoesNotTrust() throws IOException {
    assertFails(Kind.UNAVAILABLE, "tls.ca_file", config("plain_http: false"), PASSWORD);
    assertFails(
        Kind.INVALID, "CA file /none of registry", config("tls: {ca_file: /none}"), PASSWORD);
  }

  @Test
  void saysThatItSpeaksHttps() {
    assertFails(Kind.FAILED_PRECONDITION, "plain_http: false", RegistryConfig.none(), PASSWORD);
  }

  @Test
  void saysThatThePasswordIsWrong() throws IOException {
    RegistryConfig config = config("tls: {ca_file: " + authority + "}");
    assertFails(Kind.PERMISSION_DENIED, "password of user \"peapod\"", config, "wrong");
    assertThatThrownBy(() -> pull(config, Optional.empty()))
        .hasMessageContaining("wants credentials, and none are known");
  }
}
