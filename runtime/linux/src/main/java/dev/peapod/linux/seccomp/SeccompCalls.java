package dev.peapod.linux.seccomp;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// libseccomp's functions (seccomp_init(3) and so on), mapped directly. Those that answer an `int`
/// answer 0 or a negative errno.
final class SeccompCalls {
  static {
    Native.register(SeccompCalls.class, "libseccomp.so.2");
  }

  private SeccompCalls() {}

  static native Pointer seccomp_init(int defaultAction);

  static native void seccomp_release(Pointer filter);

  /// The number of an architecture, 0 if there is none of that name.
  static native int seccomp_arch_resolve_name(byte[] name);

  static native int seccomp_arch_add(Pointer filter, int architecture);

  static native int seccomp_attr_set(Pointer filter, int attribute, int value);

  /// The number of a system call on this machine, -1 if it is not known, less if it is one of
  /// another architecture.
  static native int seccomp_syscall_resolve_name(byte[] name);

  /// `comparisons` is an array of `struct scmp_arg_cmp`.
  static native int seccomp_rule_add_array(
      Pointer filter, int action, int syscall, int count, byte[] comparisons);

  static native int seccomp_export_bpf(Pointer filter, int fd);

  /// Three ints: major, minor, micro.
  static native Pointer seccomp_version();
}
