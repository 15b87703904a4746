package dev.peapod.linux;

import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// Terminals (termios(3)), by descriptor number, since standard input and output are nobody's own.
public final class Terminal {
  /// How many characters fit.
  public record Size(int rows, int columns) {}

  /// A terminal in raw mode; closing it sets the mode that it had before.
  public interface RawMode extends AutoCloseable {
    @Override
    void close();
  }

  /// `struct termios` of the C library has 60 bytes.
  private static final int SETTINGS = 64;

  private static final int TCSADRAIN = 1;
  private static final int TCSAFLUSH = 2;
  private static final long TIOCGWINSZ = 0x5413;
  private static final long TIOCSWINSZ = 0x5414;

  private Terminal() {}

  /// Whether the descriptor is open on a terminal.
  public static boolean isTerminal(int fd) {
    return TerminalCalls.isatty(fd) == 1;
  }

  /// The size; empty if it is no terminal or does not know.
  public static Optional<Size> size(int fd) {
    byte[] size = new byte[8];
    if (TerminalCalls.ioctl(fd, TIOCGWINSZ, size) < 0) {
      return Optional.empty();
    }
    ByteBuffer b = ByteBuffer.wrap(size).order(ByteOrder.nativeOrder());
    int rows = Short.toUnsignedInt(b.getShort(0));
    int columns = Short.toUnsignedInt(b.getShort(2));
    return rows == 0 || columns == 0 ? Optional.empty() : Optional.of(new Size(rows, columns));
  }

  /// Sets the size; the programs in the terminal's foreground get SIGWINCH.
  public static void resize(int fd, Size size) {
    byte[] b = new byte[8];
    ByteBuffer.wrap(b)
        .order(ByteOrder.nativeOrder())
        .putShort((short) size.rows())
        .putShort((short) size.columns());
    if (TerminalCalls.ioctl(fd, TIOCSWINSZ, b) < 0) {
      int errno = Native.getLastError();
      throw new KernelException("ioctl(fd " + fd + ", TIOCSWINSZ, " + size + ")", errno);
    }
  }

  /// Passes every byte on as it is typed: no echo, no lines, no keys for signals.
  ///
  /// @throws KernelException ENOTTY if it is no terminal
  public static RawMode raw(int fd) {
    byte[] before = new byte[SETTINGS];
    if (TerminalCalls.tcgetattr(fd, before) < 0) {
      int errno = Native.getLastError();
      throw new KernelException("tcgetattr(fd " + fd + ")", errno);
    }
    byte[] raw = before.clone();
    TerminalCalls.cfmakeraw(raw);
    if (TerminalCalls.tcsetattr(fd, TCSAFLUSH, raw) < 0) {
      int errno = Native.getLastError();
      throw new KernelException("tcsetattr(fd " + fd + ")", errno);
    }
    AtomicBoolean restored = new AtomicBoolean();
    return () -> {
      if (restored.compareAndSet(false, true)) {
        TerminalCalls.tcsetattr(fd, TCSADRAIN, before);
      }
    };
  }
}
