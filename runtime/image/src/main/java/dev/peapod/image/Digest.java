package dev.peapod.image;

import dev.peapod.error.PeapodException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The digest of some content, as OCI writes it: `sha256:` and 64 hexadecimal digits (or sha512 and
/// 128).
///
/// @param algorithm `sha256` or `sha512`
/// @param hex the value in lower-case hexadecimal digits
public record Digest(String algorithm, String hex) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern SHA512 = Pattern.compile("[0-9a-f]{128}");

  /// @throws PeapodException INVALID if it is no digest
  public Digest {
    boolean valid =
        switch (algorithm) {
          case "sha256" -> SHA256.matcher(hex).matches();
          case "sha512" -> SHA512.matcher(hex).matches();
          default -> false;
        };
    if (!valid) {
      String shown = algorithm + ":" + hex;
      throw PeapodException.invalid(
          "\"" + shorten(shown) + "\" is not a digest: want sha256: and 64 hexadecimal digits");
    }
  }

  /// Reads a digest as it is written in references and documents.
  ///
  /// @throws PeapodException INVALID if it is no digest
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    return colon < 0
        ? new Digest("", text)
        : new Digest(text.substring(0, colon), text.substring(colon + 1));
  }

  /// The sha256 digest of `content`.
  public static Digest of(byte[] content) {
    return finish("sha256", sha("SHA-256").digest(content));
  }

  /// Whether `content` has this digest.
  public boolean matches(byte[] content) {
    return HexFormat.of().formatHex(start().digest(content)).equals(hex);
  }

  /// A computation of this digest's algorithm, at its start.
  public MessageDigest start() {
    return sha(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
  }

  /// Whether the computation, which is finished by this call, came to this digest.
  public boolean finishedBy(MessageDigest computation) {
    return HexFormat.of().formatHex(computation.digest()).equals(hex);
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }

  private static Digest finish(String algorithm, byte[] value) {
    return new Digest(algorithm, HexFormat.of().formatHex(value));
  }

  private static MessageDigest sha(String name) {
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw PeapodException.internal("this Java run-time has no " + name, e);
    }
  }

  private static String shorten(String text) {
    return text.length() <= 140 ? text : text.substring(0, 140) + "...";
  }
}
