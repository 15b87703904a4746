package dev.peapod.cli;

import dev.peapod.linux.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// What the output goes to. Asked without native calls where that is enough: they take a client's
/// time to load.
final class Screen {
  private static final Pattern TERMINAL = Pattern.compile("/dev/(pts/.*|tty.*|console|hvc.*)");
  private static final int USUAL_WIDTH = 80;

  private Screen() {}

  static boolean outIsTerminal() {
    return isTerminal(1);
  }

  static boolean errorIsTerminal() {
    return isTerminal(2);
  }

  static boolean inIsTerminal() {
    return isTerminal(0);
  }

  private static boolean isTerminal(int fd) {
    try {
      return TERMINAL
          .matcher(Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString())
          .matches();
    } catch (IOException e) {
      return false;
    }
  }

  static boolean colours() {
    return outIsTerminal()
        && System.getenv("NO_COLOR") == null
        && !"dumb".equals(System.getenv("TERM"));
  }

  /// Columns of the terminal behind a descriptor.
  static int width(int fd) {
    try {
      return Terminal.size(fd).map(Terminal.Size::columns).filter(c -> c > 0).orElse(USUAL_WIDTH);
    } catch (RuntimeException | LinkageError e) {
      return USUAL_WIDTH;
    }
  }
}
