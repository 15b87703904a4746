package dev.peapod.image.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Credentials;
import dev.peapod.image.JsonDocuments;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads `registries.yaml`, in the shape that k3s made known:
///
/// ```yaml
/// mirrors:
///   docker.io: {endpoint: ["https://mirror.example:5000"]}
///   "*": {endpoint: ["http://10.0.0.1:5000"]}
/// configs:
///   mirror.example:5000:
///     # or: auth (base64 of u:p), identity_token, registry_token
///     auth: {username: u, password: p}
///     tls: {ca_file: /etc/ca.pem, insecure_skip_verify: false}
///     plain_http: false
/// ```
///
/// and the `auths` of Docker's `config.json`.
final class RegistryConfigReader {
  private static final int MAX_FILE = 1 << 20;

  private final String file;
  private final Map<String, List<URI>> mirrors = new LinkedHashMap<>();
  private final Map<String, RegistryConfig.Host> hosts = new LinkedHashMap<>();

  RegistryConfigReader(String file) {
    this.file = file;
  }

  static RegistryConfig registries(Path path) {
    RegistryConfigReader reader = new RegistryConfigReader(path.toString());
    YAMLMapper mapper =
        new YAMLMapper(
            YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());
    try {
      JsonNode root = mapper.readTree(content(path));
      return reader.registries(root);
    } catch (JsonProcessingException e) {
      throw PeapodException.invalid(path + ": " + e.getMessage());
    } catch (IOException e) {
      throw PeapodException.invalid(path + " can not be read: " + e.getMessage());
    }
  }

  RegistryConfig registries(JsonNode root) {
    if (root == null || root.isMissingNode() || root.isNull()) {
      return RegistryConfig.none();
    }
    only(root, "", Set.of("mirrors", "configs"));
    for (Map.Entry<String, JsonNode> entry : fields(root, "mirrors")) {
      String at = "mirrors." + entry.getKey();
      only(entry.getValue(), at, Set.of("endpoint"));
      List<URI> endpoints = new ArrayList<>();
      for (String text : JsonDocuments.texts(entry.getValue(), "endpoint", file + ": " + at)) {
        endpoints.add(endpoint(text, at));
      }
      String key = entry.getKey().equals("_default") ? "*" : entry.getKey();
      mirrors.put(key, List.copyOf(endpoints));
    }
    for (Map.Entry<String, JsonNode> entry : fields(root, "configs")) {
      hosts.put(entry.getKey(), host(entry.getValue(), "configs." + entry.getKey()));
    }
    return new RegistryConfig(mirrors, hosts);
  }

  /// The credentials of Docker's `config.json`; helper programs that it names are not run.
  static Map<String, Credentials> dockerConfig(Path path) {
    RegistryConfigReader reader = new RegistryConfigReader(path.toString());
    Map<String, Credentials> found = new LinkedHashMap<>();
    try {
      JsonNode root = JsonDocuments.object(content(path), path.toString());
      for (Map.Entry<String, JsonNode> entry : reader.fields(root, "auths")) {
        reader
            .credentials(entry.getValue(), "auths." + entry.getKey())
            .ifPresent(credentials -> found.put(hostOf(entry.getKey()), credentials));
      }
    } catch (IOException e) {
      throw PeapodException.invalid(path + " can not be read: " + e.getMessage());
    }
    return found;
  }

  private RegistryConfig.Host host(JsonNode node, String at) {
    only(node, at, Set.of("auth", "tls", "plain_http"));
    JsonNode tls = node.path("tls");
    if (!tls.isMissingNode()) {
      only(tls, at + ".tls", Set.of("ca_file", "insecure_skip_verify"));
    }
    JsonNode auth = node.path("auth");
    Optional<Credentials> credentials = Optional.empty();
    if (!auth.isMissingNode()) {
      only(
          auth,
          at + ".auth",
          Set.of("username", "password", "auth", "identity_token", "registry_token"));
      credentials = credentials(auth, at + ".auth");
    }
    return new RegistryConfig.Host(
        flag(node, "plain_http", at),
        JsonDocuments.text(tls, "ca_file", file + ": " + at).map(Path::of),
        flag(tls, "insecure_skip_verify", at + ".tls").orElse(false),
        credentials);
  }

  private Optional<Credentials> credentials(JsonNode node, String at) {
    String what = file + ": " + at;
    Optional<String> identity =
        JsonDocuments.text(node, "identity_token", what)
            .or(() -> JsonDocuments.text(node, "identitytoken", what))
            .filter(s -> !s.isEmpty());
    if (identity.isPresent()) {
      return Optional.of(new Credentials.IdentityToken(identity.get()));
    }
    Optional<String> token =
        JsonDocuments.text(node, "registry_token", what)
            .or(() -> JsonDocuments.text(node, "registrytoken", what))
            .filter(s -> !s.isEmpty());
    if (token.isPresent()) {
      return Optional.of(new Credentials.RegistryToken(token.get()));
    }
    Optional<String> user = JsonDocuments.text(node, "username", what).filter(s -> !s.isEmpty());
    if (user.isPresent()) {
      String password = JsonDocuments.text(node, "password", what).orElse("");
      return Optional.of(new Credentials.UserPassword(user.get(), password));
    }
    Optional<String> both = JsonDocuments.text(node, "auth", what).filter(s -> !s.isEmpty());
    return both.map(text -> Credentials.UserPassword.decode(text, what));
  }

  private Optional<Boolean> flag(JsonNode node, String field, String at) {
    JsonNode value = node.path(field);
    if (value.isMissingNode()) {
      return Optional.empty();
    }
    if (!value.isBoolean()) {
      throw PeapodException.invalid(file + ": " + at + "." + field + " must be true or false");
    }
    return Optional.of(value.booleanValue());
  }

  private URI endpoint(String text, String at) {
    try {
      URI uri = URI.create(text.contains("://") ? text : "https://" + text);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (http && uri.getHost() != null && uri.getUserInfo() == null && uri.getQuery() == null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw PeapodException.invalid(
        file + ": " + at + ": \"" + text + "\" is not an http or https address");
  }

  private Set<Map.Entry<String, JsonNode>> fields(JsonNode root, String field) {
    JsonNode node = root.path(field);
    if (node.isMissingNode() || node.isNull()) {
      return Set.of();
    }
    if (!node.isObject()) {
      throw PeapodException.invalid(file + ": " + field + " is not a map");
    }
    return node.properties();
  }

  private void only(JsonNode node, String at, Set<String> known) {
    if (!node.isObject()) {
      throw PeapodException.invalid(file + ": " + (at.isEmpty() ? "it" : at) + " is not a map");
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!known.contains(entry.getKey())) {
        String where = at.isEmpty() ? "" : " in " + at;
        throw PeapodException.invalid(file + ": unknown key \"" + entry.getKey() + "\"" + where);
      }
    }
  }

  private static String hostOf(String key) {
    String host = key.replaceFirst("^https?://", "");
    int slash = host.indexOf('/');
    host = slash < 0 ? host : host.substring(0, slash);
    return host.equals("index.docker.io") || host.equals("registry-1.docker.io")
        ? "docker.io"
        : host;
  }

  private static byte[] content(Path path) throws IOException {
    try (var in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(MAX_FILE + 1);
      if (bytes.length > MAX_FILE) {
        throw new IOException("it is larger than 1 MiB");
      }
      return bytes;
    }
  }
}
