package dev.peapod.engine.launch;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import java.net.InetAddress;
import java.net.UnknownHostException;

/// Turns the operation and errno of a failed plan into one sentence for people.
public final class FailureText {
  /// What failed, as a sentence, and as what.
  ///
  /// @param exitCode what a container that did not start shows: 127 if its command is not there,
  ///     126 if it can not be executed, 128 otherwise
  public record Failure(Kind kind, String sentence, int exitCode) {
    /// The failure as an exception.
    public PeapodException asException(LaunchException cause) {
      return new PeapodException(kind, sentence, cause);
    }
  }

  private FailureText() {}

  /// @param subject what was being started, such as `container "web"`
  public static Failure of(String subject, LaunchException failed) {
    LaunchPlan plan = failed.plan();
    int index = failed.operation();
    int errno = failed.errno();
    if (index < 0 || index >= plan.operations().size()) {
      String what =
          errno == Errno.EIO
              ? "its process was killed before it ran its program"
              : "the launcher could not start a process: " + Errno.describe(errno);
      return new Failure(Kind.INTERNAL, subject + ": " + what, 128);
    }
    return of(subject, plan.operations().get(index), errno);
  }

  private static Failure of(String subject, Operation operation, int errno) {
    String why = Errno.describe(errno);
    return switch (operation) {
      case Operation.Exec(var argv, var env) -> exec(subject, argv.getFirst(), errno);
      case Operation.Restore(var argv, var env, var pidFile) ->
          failure(
              subject,
              errno == Errno.ECANCELED
                  ? "criu can not restore it"
                  : argv.getFirst() + " can not be executed: " + why);
      case Operation.Listen listen -> listen(listen, errno);
      case Operation.Log(String path) ->
          failure(subject, "log file " + path + " can not be opened: " + logWhy(errno, why));
      case Operation.OpenTree(Stage stage, int slot, int dir, String path, boolean recursive)
          when stage == Stage.HOST && dir == Operation.PRESENT_ROOT ->
          errno == Errno.ENOENT
              ? invalid(subject, "host path \"" + path + "\" of a mount does not exist")
              : failure(subject, "host path \"" + path + "\" can not be mounted: " + why);
      case Operation.Attach a when errno == Errno.ELOOP ->
          invalid(subject, "\"" + a.path() + "\" of the image is or goes through a symbolic link");
      case Operation.Attach a when errno == Errno.ENOTDIR || errno == Errno.EISDIR ->
          invalid(
              subject,
              "\""
                  + a.path()
                  + "\" can not be mounted: "
                  + (a.kind() == Operation.TargetKind.FILE
                      ? "what is mounted is a file, what is there a directory"
                      : "what is mounted is a directory, what is there is not"));
      case Operation.Attach a -> failure(subject, "mounting \"" + a.path() + "\" failed: " + why);
      case Operation.MountProc p when errno == Errno.ELOOP || errno == Errno.ENOTDIR ->
          invalid(subject, "\"/proc\" of the image is not a directory");
      case Operation.MountProc p -> failure(subject, "mounting \"/proc\" failed: " + why);
      case Operation.Chdir(String path) ->
          invalid(subject, "working directory \"" + path + "\" can not be entered: " + why);
      case Operation.Mkdir m ->
          errno == Errno.ENOTDIR || errno == Errno.EEXIST
              ? invalid(subject, "\"" + m.path() + "\" of the image is not a directory")
              : failure(subject, "making directory \"" + m.path() + "\" failed: " + why);
      case Operation.Sysctl(String name, String value) ->
          invalid(subject, "sysctl \"" + name + "\" can not be set to \"" + value + "\": " + why);
      case Operation.Hostname(String name) ->
          invalid(subject, "host name \"" + name + "\" can not be set: " + why);
      case Operation.CgroupEnter(String path) ->
          failure(subject, "entering the cgroup by " + path + " failed: " + why);
      case Operation.CgroupInto(String path) ->
          failure(subject, "entering the cgroup " + path + " failed: " + why);
      case Operation.Write w -> failure(subject, "writing " + w.path() + " failed: " + why);
      case Operation.MountNew m ->
          failure(subject, "making a mount of type " + m.type() + " failed: " + why);
      case Operation.Mask(String path) -> failure(subject, "masking " + path + " failed: " + why);
      case Operation.Readonly(String path) ->
          failure(subject, "making " + path + " read-only failed: " + why);
      case Operation.Setns s ->
          s.slot() >= 0 && errno == Errno.ESRCH
              ? new Failure(
                  Kind.FAILED_PRECONDITION,
                  subject + ": the process whose namespaces it joins is gone",
                  128)
              : failure(subject, "joining namespaces failed: " + why);
      case Operation.Ids(long uid, long gid) ->
          failure(subject, "becoming user " + uid + " and group " + gid + " failed: " + why);
      case Operation.Seccomp s -> failure(subject, "loading the seccomp filter failed: " + why);
      case Operation.ExecLabel(String attribute, String label) ->
          errno == Errno.ENOENT || errno == Errno.EINVAL
              ? invalid(subject, "the security label \"" + label + "\" is not known to the kernel")
              : failure(subject, "setting the security label \"" + label + "\" failed: " + why);
      case Operation.Label l ->
          failure(subject, "giving files the security label \"" + l.label() + "\" failed: " + why);
      case Operation.Tty t -> failure(subject, "making its terminal failed: " + why);
      case Operation other ->
          failure(subject, other.getClass().getSimpleName() + " failed: " + why);
    };
  }

  private static Failure exec(String subject, String command, int errno) {
    String what = subject + ": command \"" + command + "\" ";
    return switch (errno) {
      case Errno.ENOENT, Errno.ENOTDIR ->
          new Failure(Kind.INVALID, what + "not found in the image", 127);
      case Errno.EACCES, Errno.EPERM -> new Failure(Kind.INVALID, what + "is not executable", 126);
      case Errno.ENOEXEC ->
          new Failure(Kind.INVALID, what + "is not a program that this machine can execute", 126);
      case Errno.ELOOP ->
          new Failure(Kind.INVALID, what + "goes through too many symbolic links", 126);
      case Errno.E2BIG ->
          new Failure(Kind.INVALID, what + "has too long arguments or environment", 126);
      default ->
          new Failure(Kind.INTERNAL, what + "can not be executed: " + Errno.describe(errno), 126);
    };
  }

  private static Failure listen(Operation.Listen listen, int errno) {
    String port = listen.port() + "/" + (listen.protocol() == 6 ? "TCP" : "UDP");
    return switch (errno) {
      case Errno.EADDRINUSE ->
          new Failure(
              Kind.FAILED_PRECONDITION,
              "host port " + port + " is already in use on this machine",
              128);
      case Errno.EADDRNOTAVAIL ->
          new Failure(
              Kind.INVALID,
              "host port " + port + ": " + address(listen) + " is not an address of this machine",
              128);
      default ->
          new Failure(
              Kind.INTERNAL,
              "host port " + port + " can not be bound: " + Errno.describe(errno),
              128);
    };
  }

  private static String address(Operation.Listen listen) {
    try {
      return InetAddress.getByAddress(listen.address()).getHostAddress();
    } catch (UnknownHostException e) {
      return "its address";
    }
  }

  private static String logWhy(int errno, String why) {
    return errno == Errno.ELOOP ? "it is a symbolic link" : why;
  }

  private static Failure invalid(String subject, String what) {
    return new Failure(Kind.INVALID, subject + ": " + what, 128);
  }

  private static Failure failure(String subject, String what) {
    return new Failure(Kind.INTERNAL, subject + ": " + what, 128);
  }
}
