package dev.peapod.cli;

/// What ends a verb with a sentence for the user.
final class Failure extends RuntimeException {
  private final int code;

  Failure(String message) {
    this(message, Main.FAILED);
  }

  Failure(String message, int code) {
    super(message);
    this.code = code;
  }

  String text() {
    return String.valueOf(getMessage());
  }

  int code() {
    return code;
  }
}
