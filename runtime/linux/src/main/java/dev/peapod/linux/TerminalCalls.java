package dev.peapod.linux;

import com.sun.jna.Native;

/// Calls about terminals, mapped directly; apart from the others, since the client needs no more.
final class TerminalCalls {
  static {
    Native.register(TerminalCalls.class, "c");
  }

  private TerminalCalls() {}

  static native int isatty(int fd);

  static native int tcgetattr(int fd, byte[] settings);

  static native int tcsetattr(int fd, int when, byte[] settings);

  static native void cfmakeraw(byte[] settings);

  static native int ioctl(int fd, long request, byte[] argument);
}
