package dev.peapod.linux.seccomp;

import com.sun.jna.Pointer;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.LibC;
import dev.peapod.linux.Memfd;
import dev.peapod.linux.Open;
import dev.peapod.linux.seccomp.SeccompFilter.Comparison;
import dev.peapod.linux.seccomp.SeccompFilter.Rule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The system's libseccomp, which turns a [SeccompFilter] into a program for the kernel.
/// Thread-safe.
public final class Libseccomp {
  private static final int ACT_BADARCH = 2;
  private static final int CTL_OPTIMIZE = 8;
  private static final int BINARY_TREE = 2;
  private static final int UNKNOWN = -1;
  private static final int COMPARISON_SIZE = 24;
  private static final int MAX_PROGRAM = 1 << 20;

  private Libseccomp() {}

  /// Compiles a filter to an array of `struct sock_filter`. It takes some milliseconds.
  ///
  /// A rule for a system call that libseccomp has no number for is passed over where the default is
  /// to refuse; a rule that says the same as the default is passed over too.
  ///
  /// @throws PeapodException INVALID if an architecture does not exist, or a call is to be refused
  ///     that is not known, or rules contradict each other; FAILED_PRECONDITION if the library is
  ///     not installed
  public static byte[] compile(SeccompFilter filter) {
    Pointer context = init(filter.defaultAction());
    try {
      // A call of another architecture is one that the filter does not name. It is never let through.
      if (!filter.defaultAction().permits()) {
        SeccompCalls.seccomp_attr_set(context, ACT_BADARCH, filter.defaultAction().code());
      }
      // Older libraries have only the linear search.
      SeccompCalls.seccomp_attr_set(context, CTL_OPTIMIZE, BINARY_TREE);
      for (String architecture : filter.architectures()) {
        addArchitecture(context, architecture);
      }
      for (Rule rule : filter.rules()) {
        add(context, filter.defaultAction(), rule);
      }
      // The library writes to descriptors alone.
      try (Fd file = Memfd.sealed("seccomp", fd -> export(context, fd));
          Fd program = Fd.open("/proc/self/fd/" + file.number(), Open.RDONLY)) {
        return FdIo.readAll(program, MAX_PROGRAM);
      }
    } finally {
      SeccompCalls.seccomp_release(context);
    }
  }

  /// The library's version, such as `2.5.4`.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it is not installed
  public static String version() {
    try {
      int[] parts = SeccompCalls.seccomp_version().getIntArray(0, 3);
      return parts[0] + "." + parts[1] + "." + parts[2];
    } catch (LinkageError e) {
      throw missing(e);
    }
  }

  private static Pointer init(SeccompAction action) {
    try {
      Pointer context = SeccompCalls.seccomp_init(action.code());
      if (context == null) {
        throw new KernelException("seccomp_init(" + action + ")", Errno.EINVAL);
      }
      return context;
    } catch (LinkageError e) {
      throw missing(e);
    }
  }

  private static PeapodException missing(LinkageError cause) {
    return new PeapodException(
        Kind.FAILED_PRECONDITION,
        "seccomp filters need libseccomp, which is not on this machine: apt-get install libseccomp2",
        cause);
  }

  private static void addArchitecture(Pointer context, String name) {
    int number = SeccompCalls.seccomp_arch_resolve_name(LibC.path(name));
    if (number == 0) {
      throw PeapodException.invalid("libseccomp knows no architecture \"" + name + "\"");
    }
    int result = SeccompCalls.seccomp_arch_add(context, number);
    if (result < 0 && result != -Errno.EEXIST) {
      throw PeapodException.invalid(
          "architecture \"" + name + "\" can not be in the filter: " + Errno.describe(-result));
    }
  }

  private static void add(Pointer context, SeccompAction defaultAction, Rule rule) {
    if (rule.action().equals(defaultAction)) {
      return;
    }
    int number = SeccompCalls.seccomp_syscall_resolve_name(LibC.path(rule.syscall()));
    if (number == UNKNOWN) {
      if (defaultAction.permits() && !rule.action().permits()) {
        throw PeapodException.invalid(
            "system call \""
                + rule.syscall()
                + "\" is to be refused, but libseccomp "
                + version()
                + " does not know it");
      }
      return;
    }
    int count = rule.comparisons().size();
    int result =
        SeccompCalls.seccomp_rule_add_array(
            context, rule.action().code(), number, count, encode(rule.comparisons()));
    if (result < 0) {
      throw PeapodException.invalid(
          "the rule for system call \""
              + rule.syscall()
              + "\" is refused by libseccomp: "
              + Errno.describe(-result));
    }
  }

  private static byte[] encode(List<Comparison> comparisons) {
    byte[] bytes = new byte[Math.max(1, comparisons.size()) * COMPARISON_SIZE];
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    for (Comparison comparison : comparisons) {
      buffer
          .putInt(comparison.argument())
          .putInt(comparison.operator().code())
          .putLong(comparison.value())
          .putLong(comparison.second());
    }
    return bytes;
  }

  private static void export(Pointer context, Fd fd) {
    int result = SeccompCalls.seccomp_export_bpf(context, fd.number());
    if (result < 0) {
      throw new KernelException("seccomp_export_bpf", -result);
    }
  }
}
