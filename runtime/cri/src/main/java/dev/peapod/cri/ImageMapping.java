package dev.peapod.cri;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Credentials;
import dev.peapod.image.Image;
import dev.peapod.proto.peapod.v1.ImageInfo;
import dev.peapod.proto.peapod.v1.RegistryCredentials;
import dev.peapod.proto.runtime.v1.AuthConfig;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.Int64Value;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.Optional;

/// Images and credentials between the APIs' words and the image store's.
final class ImageMapping {
  private ImageMapping() {}

  static dev.peapod.proto.runtime.v1.Image image(Image image) {
    dev.peapod.proto.runtime.v1.Image.Builder result =
        dev.peapod.proto.runtime.v1.Image.newBuilder()
            .setId(image.id())
            .addAllRepoTags(image.tags())
            .addAllRepoDigests(image.digests())
            .setSize(image.size())
            .setSpec(ImageSpec.newBuilder().setImage(image.id()));
    String user = image.config().user().split(":", 2)[0];
    if (user.matches("[0-9]{1,10}")) {
      result.setUid(Int64Value.newBuilder().setValue(Long.parseLong(user)));
    } else {
      result.setUsername(user);
    }
    return result.build();
  }

  static ImageInfo info(Image image) {
    return ImageInfo.newBuilder()
        .setId(image.id())
        .addAllTags(image.tags())
        .addAllDigests(image.digests())
        .setSize(image.size())
        .setCreatedNs(image.config().created().map(ImageMapping::nanos).orElse(0L))
        .build();
  }

  private static long nanos(String created) {
    try {
      Instant instant = OffsetDateTime.parse(created).toInstant();
      return Math.addExact(
          Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
    } catch (DateTimeParseException | ArithmeticException e) {
      return 0;
    }
  }

  static Optional<Credentials> credentials(AuthConfig auth) {
    if (!auth.getRegistryToken().isEmpty()) {
      return Optional.of(new Credentials.RegistryToken(auth.getRegistryToken()));
    }
    if (!auth.getIdentityToken().isEmpty()) {
      return Optional.of(new Credentials.IdentityToken(auth.getIdentityToken()));
    }
    if (!auth.getUsername().isEmpty()) {
      return Optional.of(new Credentials.UserPassword(auth.getUsername(), auth.getPassword()));
    }
    return auth.getAuth().isEmpty() ? Optional.empty() : Optional.of(decode(auth.getAuth()));
  }

  static Optional<Credentials> credentials(RegistryCredentials credentials) {
    return credentials(
        AuthConfig.newBuilder()
            .setUsername(credentials.getUsername())
            .setPassword(credentials.getPassword())
            .setIdentityToken(credentials.getIdentityToken())
            .setRegistryToken(credentials.getRegistryToken())
            .build());
  }

  /// Docker's form: base64 of `user:password`.
  private static Credentials decode(String auth) {
    try {
      String text = new String(Base64.getDecoder().decode(auth), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      if (colon > 0) {
        return new Credentials.UserPassword(text.substring(0, colon), text.substring(colon + 1));
      }
    } catch (IllegalArgumentException e) {
      throw new PeapodException(PeapodException.Kind.INVALID, "auth.auth is not base64", e);
    }
    throw PeapodException.invalid("auth.auth is not base64 of user:password");
  }
}
