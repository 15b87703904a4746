package dev.peapod.pods.manifest;

import java.util.regex.Pattern;

/// Literal IP addresses; nothing is ever looked up.
final class Addresses {
  private static final Pattern FOUR =
      Pattern.compile("((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.|$)){4}");
  private static final Pattern SIX_CHARACTERS = Pattern.compile("[0-9a-fA-F:.]{2,45}");

  private Addresses() {}

  static boolean isAddress(String text) {
    if (FOUR.matcher(text).matches()) {
      return !text.endsWith(".");
    }
    if (!SIX_CHARACTERS.matcher(text).matches() || !text.contains(":")) {
      return false;
    }
    try {
      java.net.Inet6Address.ofLiteral(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
