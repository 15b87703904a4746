package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.util.Locale;

/// A transport protocol that has ports.
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /// The protocol's number in an IP header.
  public int number() {
    return number;
  }

  /// The name that CNI configurations use, in lower case.
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Reads a name in any case.
  ///
  /// @throws PeapodException INVALID if it is none of ours
  public static Protocol parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "tcp" -> TCP;
      case "udp" -> UDP;
      case "sctp" -> SCTP;
      default ->
          throw PeapodException.invalid(
              "protocol \"" + text + "\" is not known: tcp, udp or sctp is needed");
    };
  }
}
