package dev.peapod.image;

import dev.peapod.error.PeapodException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The normalised name of an image: `registry/repository[:tag][@digest]`, with Docker's defaults
/// filled in.
///
/// `nginx` is `docker.io/library/nginx:latest`; `localhost/a`, `host.name/a` and `host:5000/a` name
/// their registry. Without tag and digest the tag is `latest`. With both, the digest decides what
/// is pulled.
///
/// @param registry host, or `host:port`, or `[v6]:port`
/// @param repository path of lower-case names
/// @param tag absent only if there is a digest
public record Reference(
    String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
  private static final int MAX_NAME = 255;
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final String LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
  private static final Pattern HOST =
      Pattern.compile(
          "(?:" + LABEL + "(?:\\." + LABEL + ")*|\\[[0-9a-fA-F:]+])(?::[0-9]{1,5})?");
  private static final Pattern COMPONENT =
      Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
  private static final Pattern BARE_HEX = Pattern.compile("[0-9a-f]{64}");

  /// Reads a reference as a person or a manifest writes it, and fills in the defaults.
  ///
  /// @throws PeapodException INVALID, saying which part of it is wrong
  public static Reference parse(String text) {
    if (text.isEmpty()) {
      throw PeapodException.invalid("the image name is empty");
    }
    String rest = text;
    Optional<Digest> digest = Optional.empty();
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Optional.of(parseDigest(text, rest.substring(at + 1)));
      rest = rest.substring(0, at);
    }
    Optional<String> tag = Optional.empty();
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = Optional.of(rest.substring(colon + 1));
      rest = rest.substring(0, colon);
      if (!TAG.matcher(tag.get()).matches()) {
        throw bad(text, "the tag \"" + tag.get() + "\" is not valid");
      }
    }
    if (BARE_HEX.matcher(rest).matches()) {
      throw bad(text, "64 hexadecimal digits are an image id, not a name");
    }
    int slash = rest.indexOf('/');
    String first = slash < 0 ? "" : rest.substring(0, slash);
    boolean named = looksLikeHost(first);
    String registry = named ? first : DEFAULT_REGISTRY;
    String repository = named ? rest.substring(slash + 1) : rest;
    if (registry.equals("index.docker.io") || registry.equals("registry-1.docker.io")) {
      registry = DEFAULT_REGISTRY;
    }
    if (registry.equals(DEFAULT_REGISTRY) && repository.indexOf('/') < 0) {
      repository = "library/" + repository;
    }
    check(text, registry, repository);
    if (tag.isEmpty() && digest.isEmpty()) {
      tag = Optional.of("latest");
    }
    return new Reference(registry, repository, tag, digest);
  }

  /// Registry and repository, without tag and digest.
  public String name() {
    return registry + "/" + repository;
  }

  /// The name with this digest and no tag.
  public Reference withDigest(Digest other) {
    return new Reference(registry, repository, Optional.empty(), Optional.of(other));
  }

  /// What to ask the registry for: the digest if there is one, else the tag.
  public String selector() {
    return digest.map(Digest::toString).or(() -> tag).orElse("latest");
  }

  @Override
  public String toString() {
    return name() + tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
  }

  private static void check(String text, String registry, String repository) {
    if (!HOST.matcher(registry).matches()) {
      throw bad(text, "the registry \"" + registry + "\" is not a host name");
    }
    if (repository.isEmpty()) {
      throw bad(text, "the repository is missing");
    }
    if (registry.length() + 1 + repository.length() > MAX_NAME) {
      throw bad(text, "the name is longer than " + MAX_NAME + " characters");
    }
    for (String component : repository.split("/", -1)) {
      if (!COMPONENT.matcher(component).matches()) {
        String hint =
            component.chars().anyMatch(Character::isUpperCase)
                ? " (repository names are lower-case)"
                : "";
        throw bad(text, "\"" + component + "\" is not a valid repository name" + hint);
      }
    }
  }

  private static Digest parseDigest(String text, String digest) {
    try {
      return Digest.parse(digest);
    } catch (PeapodException e) {
      throw bad(text, e.getMessage());
    }
  }

  private static boolean looksLikeHost(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || first.chars().anyMatch(Character::isUpperCase);
  }

  private static PeapodException bad(String text, @Nullable String why) {
    String shown = text.length() <= 300 ? text : text.substring(0, 300) + "...";
    return PeapodException.invalid("\"" + shown + "\" is not an image name: " + why);
  }
}
