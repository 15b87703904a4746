package dev.peapod.image.registry;

import java.net.URI;
import java.util.Locale;

/// Scheme, host and port of an address: who gets to see what is sent there.
record Origin(String scheme, String host, int port) {
  static Origin of(URI uri) {
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
    return new Origin(scheme, String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT), port);
  }

  boolean tls() {
    return scheme.equals("https");
  }
}
