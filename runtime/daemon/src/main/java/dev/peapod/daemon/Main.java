package dev.peapod.daemon;

import dev.peapod.cni.spec.Json;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.LibC;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// The entry point of `peapodd`. Exit codes: 0 after SIGTERM, 1 if it can not run, 2 for a wrong flag or configuration.
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    Thread.ofPlatform().name("load").start(Main::load);
    Logging.install();
    CommandLine commandLine = parse(List.of(arguments));
    // Not a switch: the first one over types takes a sixth of a second, which no ahead-of-time cache spares.
    if (commandLine instanceof CommandLine.Run run) {
      serve(run.config());
    } else if (commandLine instanceof CommandLine.Print print) {
      System.out.print(print.text());
    }
  }

  /// Loads what takes long to load, while the log comes up; the kernel's calls wait for that.
  private static void load() {
    Json.object();
    LibC.load();
  }

  private static CommandLine parse(List<String> arguments) {
    try {
      return CommandLine.parse(arguments);
    } catch (PeapodException e) {
      throw fail(e, 2);
    }
  }

  private static void serve(Config config) throws InterruptedException {
    Logging.level(config.logLevel());
    try {
      Daemon daemon = Daemon.start(config, new ServiceManager(System.getenv()));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(daemon), "shutdown"));
    } catch (PeapodException e) {
      throw fail(e, 1);
    }
    new CountDownLatch(1).await();
  }

  /// Ends the process with 0, which a signal alone would not do.
  private static void end(Daemon daemon) {
    daemon.close();
    log().log(System.Logger.Level.INFO, "ended");
    Runtime.getRuntime().halt(0);
  }

  /// Not a field: loggers come after [Logging#install()].
  private static System.Logger log() {
    return System.getLogger(Main.class.getName());
  }

  private static Error fail(PeapodException e, int status) {
    System.err.println("peapodd: " + e.getMessage());
    log().log(System.Logger.Level.DEBUG, "because of", e);
    System.exit(status);
    throw new AssertionError("System.exit returned");
  }
}
