package dev.peapod.image;

import dev.peapod.error.PeapodException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// What a caller shows a registry to be let in.
public sealed interface Credentials {
  /// A user name and a password, shown as HTTP Basic or traded for a token.
  record UserPassword(String username, String password) implements Credentials {
    /// Reads the base64 of `user:password`, as Docker's `auth` fields have it.
    ///
    /// @param what names the field in errors
    /// @throws PeapodException INVALID
    public static UserPassword decode(String auth, String what) {
      String text;
      try {
        text = new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8);
      } catch (IllegalArgumentException e) {
        throw PeapodException.invalid(what + ": auth is not base64");
      }
      int colon = text.indexOf(':');
      if (colon < 0) {
        throw PeapodException.invalid(what + ": auth is not the base64 of user:password");
      }
      String password = text.substring(colon + 1).replaceAll("\0+$", "");
      return new UserPassword(text.substring(0, colon), password);
    }

    @Override
    public String toString() {
      return "UserPassword[" + username + "]";
    }
  }

  /// A refresh token of an authorisation server, traded for an access token.
  record IdentityToken(String token) implements Credentials {
    @Override
    public String toString() {
      return "IdentityToken[]";
    }
  }

  /// An access token that is shown to the registry as it is.
  record RegistryToken(String token) implements Credentials {
    @Override
    public String toString() {
      return "RegistryToken[]";
    }
  }
}
