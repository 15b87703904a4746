package dev.peapod.linux.systemd;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// The service manager of this machine, if that is systemd. Every call has a connection of its own: the manager may
/// start anew at any time. Thread-safe; calls block, and fail with UNAVAILABLE if it does not answer.
public final class Systemd {
  /// Where systemd listens for root.
  public static final Path SOCKET = Path.of("/run/systemd/private");

  private static final Path BOOTED = Path.of("/run/systemd/system");
  private static final String OBJECT = "/org/freedesktop/systemd1";
  private static final String MANAGER = "org.freedesktop.systemd1.Manager";

  private final Path socket;

  /// @param socket [#SOCKET], or that of a test
  public Systemd(Path socket) {
    this.socket = socket;
  }

  /// Whether systemd is what started this machine (sd_booted(3)).
  public static boolean isThere() {
    return Files.isDirectory(BOOTED);
  }

  @FunctionalInterface
  private interface Work {
    void on(Connection connection) throws IOException, CallException;
  }

  /// Makes a unit that is in no file, and waits until it has started. One of that name that has failed is forgotten; one
  /// that is there already is started.
  public void start(String unit, List<Property> properties) {
    run(
        "starting " + unit,
        systemd -> {
          try {
            startTransient(systemd, unit, properties);
          } catch (CallException e) {
            if (!e.is("UnitExists")) {
              throw e;
            }
            attempt(systemd, "ResetFailedUnit", unit);
            try {
              startTransient(systemd, unit, properties);
            } catch (CallException again) {
              if (!again.is("UnitExists")) {
                throw again;
              }
              job(systemd, unit, "StartUnit", "ss", body -> body.text(unit).text("replace"));
            }
          }
        });
  }

  private static void startTransient(Connection systemd, String unit, List<Property> properties)
      throws IOException, CallException {
    job(
        systemd,
        unit,
        "StartTransientUnit",
        "ssa(sv)a(sa(sv))",
        body -> {
          body.text(unit).text("replace");
          write(body, properties);
          body.array(8, () -> {});
        });
  }

  /// Stops a unit with all that it consists of, and waits for that. One that is not there is fine.
  public void stop(String unit) {
    run(
        "stopping " + unit,
        systemd -> {
          try {
            job(systemd, unit, "StopUnit", "ss", body -> body.text(unit).text("replace"));
          } catch (CallException e) {
            if (!e.is("NoSuchUnit")) {
              throw e;
            }
          }
          attempt(systemd, "ResetFailedUnit", unit);
        });
  }

  /// Changes properties of a unit until the next boot.
  public void set(String unit, List<Property> properties) {
    run(
        "changing " + unit,
        systemd ->
            systemd.call(
                OBJECT,
                MANAGER,
                "SetUnitProperties",
                "sba(sv)",
                body -> {
                  body.text(unit).flag(true);
                  write(body, properties);
                }));
  }

  /// Forgets what was changed of units.
  public void revert(String unit) {
    run(
        "forgetting the changes of " + unit,
        systemd ->
            systemd.call(
                OBJECT,
                MANAGER,
                "RevertUnitFiles",
                "as",
                body -> body.array(4, () -> body.text(unit))));
  }

  private static void write(Marshalled body, List<Property> properties) {
    body.array(8, () -> properties.forEach(property -> property.write(body)));
  }

  /// Calls what answers with a job, and waits for the job's end.
  private static void job(
      Connection systemd, String unit, String method, String signature, Consumer<Marshalled> body)
      throws IOException, CallException {
    String job = Message.text(systemd.call(OBJECT, MANAGER, method, signature, body).body());
    String[] result = {""};
    systemd.await(
        "JobRemoved",
        signal -> {
          Message.number(signal.body());
          boolean own = Message.text(signal.body()).equals(job);
          if (own) {
            Message.text(signal.body());
            result[0] = Message.text(signal.body());
          }
          return own;
        });
    if (!result[0].equals("done")) {
      throw new CallException("JobFailed", "its job ended with \"" + result[0] + "\": see systemctl status " + unit);
    }
  }

  private static void attempt(Connection systemd, String method, String unit) throws IOException {
    try {
      systemd.call(OBJECT, MANAGER, method, "s", body -> body.text(unit));
    } catch (CallException e) {
      // There is none to do that to.
    }
  }

  private void run(String what, Work work) {
    try (Connection systemd = Connection.open(socket)) {
      work.on(systemd);
    } catch (CallException e) {
      throw new PeapodException(Kind.INTERNAL, what + ": systemd says: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new PeapodException(
          Kind.UNAVAILABLE, what + " failed: systemd does not answer at " + socket + ": " + e, e);
    }
  }
}
