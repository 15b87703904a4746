package dev.peapod.daemon;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.logging.ErrorManager;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// The daemon's own log: [System.Logger] over `java.util.logging`, where gRPC and Netty log too, one line an event on
/// standard error.
///
/// A line is `2026-11-22T10:11:12.345Z INFO  engine: message`. If standard error is journald's, it is `<6>engine: message`:
/// the journal knows the time, and takes the priority from the prefix.
final class Logging {
  /// Reads no file of the Java installation's, and keeps the handler in place while the JVM ends, when the default one
  /// would take it away before the last lines.
  public static final class Manager extends LogManager {
    @Override
    public void readConfiguration() {
      // There is none: what is said here decides.
    }

    @Override
    public void reset() {
      // Nothing: what is logged while shutting down is to be seen.
    }
  }

  static {
    // Before anything asks for a logger, the field below included.
    System.setProperty("java.util.logging.manager", Manager.class.getName());
  }

  // A strong reference: the log manager forgets a logger's level with the logger.
  private static final Logger PEAPOD = Logger.getLogger("dev.peapod");

  private Logging() {}

  /// Chooses the log manager; must be called before anything logs.
  static void install() {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    root.addHandler(
        new StandardError(
            new Lines(journal(System.getenv(), Path.of("/proc/self/fd/2"))),
            new FileOutputStream(FileDescriptor.err)));
    level(System.Logger.Level.INFO);
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
  }

  /// Sets the least severity that is reported. Libraries stay at warning unless it is trace.
  static void level(System.Logger.Level level) {
    Level least =
        switch (level) {
          case ALL, TRACE -> Level.FINER;
          case DEBUG -> Level.FINE;
          case INFO -> Level.INFO;
          case WARNING -> Level.WARNING;
          case ERROR -> Level.SEVERE;
          case OFF -> Level.OFF;
        };
    Logger.getLogger("").setLevel(libraries(least));
    PEAPOD.setLevel(least);
  }

  private static Level libraries(Level own) {
    return own.intValue() > Level.WARNING.intValue() || own == Level.FINER ? own : Level.WARNING;
  }

  /// Whether the descriptor is the journal stream that the environment names.
  static boolean journal(Map<String, String> environment, Path descriptor) {
    String stream = environment.get("JOURNAL_STREAM");
    if (stream == null) {
      return false;
    }
    try {
      Map<String, Object> file = Files.readAttributes(descriptor, "unix:dev,ino");
      return stream.equals(file.get("dev") + ":" + file.get("ino"));
    } catch (IOException e) {
      return false;
    }
  }

  /// One record, one line; the stack trace of a defect on further lines.
  static final class Lines extends Formatter {
    private static final DateTimeFormatter TIME =
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final boolean journal;

    Lines(boolean journal) {
      this.journal = journal;
    }

    @Override
    public String format(LogRecord record) {
      StringBuilder text = new StringBuilder();
      String prefix =
          journal
              ? "<" + priority(record.getLevel()) + ">"
              : TIME.format(Instant.ofEpochMilli(record.getMillis()))
                  + " "
                  + word(record.getLevel())
                  + " ";
      text.append(prefix)
          .append(source(record.getLoggerName()))
          .append(": ")
          .append(oneLine(formatMessage(record)));
      if (record.getThrown() != null) {
        StringWriter trace = new StringWriter();
        record.getThrown().printStackTrace(new PrintWriter(trace));
        trace
            .toString()
            .lines()
            .forEach(
                line -> text.append('\n').append(journal ? prefix : "    ").append(oneLine(line)));
      }
      return text.append('\n').toString();
    }

    /// `dev.peapod.engine.launch.Plans` is `engine`; a library's class is its simple name.
    private static String source(@org.jspecify.annotations.Nullable String logger) {
      if (logger == null) {
        return "java";
      }
      String own = "dev.peapod.";
      if (logger.startsWith(own)) {
        int end = logger.indexOf('.', own.length());
        return logger.substring(own.length(), end < 0 ? logger.length() : end);
      }
      return logger.substring(logger.lastIndexOf('.') + 1);
    }

    private static String oneLine(String text) {
      StringBuilder line = new StringBuilder(text.length());
      text.codePoints()
          .forEach(c -> line.appendCodePoint(Character.isISOControl(c) && c != '\t' ? ' ' : c));
      return line.toString();
    }

    private static int priority(Level level) {
      if (level.intValue() >= Level.SEVERE.intValue()) {
        return 3;
      }
      if (level.intValue() >= Level.WARNING.intValue()) {
        return 4;
      }
      return level.intValue() >= Level.INFO.intValue() ? 6 : 7;
    }

    private static String word(Level level) {
      if (level.intValue() >= Level.SEVERE.intValue()) {
        return "ERROR";
      }
      if (level.intValue() >= Level.WARNING.intValue()) {
        return "WARN ";
      }
      if (level.intValue() >= Level.INFO.intValue()) {
        return "INFO ";
      }
      return level.intValue() >= Level.FINE.intValue() ? "DEBUG" : "TRACE";
    }
  }

  /// Writes each record with one write, so that lines of several threads and processes do not mix.
  private static final class StandardError extends Handler {
    private final OutputStream out;

    StandardError(Formatter formatter, OutputStream out) {
      setFormatter(formatter);
      setLevel(Level.ALL);
      this.out = out;
    }

    @Override
    public void publish(LogRecord record) {
      if (!isLoggable(record)) {
        return;
      }
      try {
        out.write(getFormatter().format(record).getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        reportError(null, e, ErrorManager.WRITE_FAILURE);
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
