package dev.peapod.dns;

/// Bytes that are no DNS message.
final class MalformedMessage extends RuntimeException {
  MalformedMessage(String what) {
    super(what, null, false, false);
  }
}
