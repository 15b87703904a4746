package dev.peapod.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// Calls about processes and namespaces, mapped directly.
final class ProcessCalls {
  static final long SYS_PIDFD_SEND_SIGNAL = 424;
  static final long SYS_PIDFD_OPEN = 434;

  static {
    Native.register(ProcessCalls.class, "c");
  }

  private ProcessCalls() {}

  static native int setns(int fd, int type);

  static native int unshare(int flags);

  /// `info` is a `siginfo_t` of 128 bytes.
  static native int waitid(int idType, int id, byte[] info, int options);

  static native int posix_spawn_file_actions_init(Pointer actions);

  static native int posix_spawn_file_actions_destroy(Pointer actions);

  static native int posix_spawn_file_actions_adddup2(Pointer actions, int fd, int target);

  static native int posix_spawn_file_actions_addclose(Pointer actions, int fd);

  static native int posix_spawn_file_actions_addclosefrom_np(Pointer actions, int from);

  static native int posix_spawnattr_init(Pointer attributes);

  static native int posix_spawnattr_destroy(Pointer attributes);

  static native int posix_spawnattr_setflags(Pointer attributes, short flags);

  static native int posix_spawnattr_setsigmask(Pointer attributes, Pointer set);

  static native int posix_spawnattr_setsigdefault(Pointer attributes, Pointer set);

  static native int posix_spawn(
      int[] pid, byte[] path, Pointer actions, Pointer attributes, Pointer argv, Pointer env);
}
