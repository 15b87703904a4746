package dev.peapod.linux.systemd;

/// An error as the answer to a call.
final class CallException extends Exception {
  private final String error;

  /// @param error its name, such as `org.freedesktop.systemd1.NoSuchUnit`
  /// @param text what it says
  CallException(String error, String text) {
    super(text.isEmpty() ? error : text);
    this.error = error;
  }

  /// Whether it is this one of systemd's own errors.
  boolean is(String name) {
    return error.equals("org.freedesktop.systemd1." + name);
  }
}
