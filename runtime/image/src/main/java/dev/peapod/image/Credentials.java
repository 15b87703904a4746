package dev.peapod.image;

/// What a caller shows a registry to be let in.
public sealed interface Credentials {
  /// A user name and a password, shown as HTTP Basic or traded for a token.
  record UserPassword(String username, String password) implements Credentials {
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
