package dev.peapod.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Starts a program without copying this process (posix_spawn(3)).
public final class PosixSpawn {
  // Larger than the C library's posix_spawnattr_t (336) and posix_spawn_file_actions_t (80).
  private static final int OPAQUE = 1024;
  private static final int SIGNAL_SET = 128;
  private static final short SETSIGDEF = 4;
  private static final short SETSIGMASK = 8;
  private static final short SETSID = 0x80;

  private PosixSpawn() {}

  /// Starts the program that a descriptor is open on (a memfd, for example); as
  /// [#spawn(String, List, List, Map)] otherwise.
  public static int spawn(Fd program, List<String> argv, List<String> env, Map<Integer, Fd> fds) {
    // By this process's number: in the child the descriptor is closed already.
    String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + program.number();
    return spawn(path, argv, env, fds);
  }

  /// Starts a program as a child of this process: in a session of its own, no signal blocked or
  /// ignored, and with exactly the descriptors given. The caller collects it ([Pidfd#reap()]).
  ///
  /// @param path the program
  /// @param argv its arguments, the first being its name
  /// @param env its environment, `NAME=value`
  /// @param fds the child's descriptors, by number there; they stay the caller's
  /// @return the child's process number
  /// @throws KernelException if the program can not be executed
  public static int spawn(
      String path, List<String> argv, List<String> env, Map<Integer, Fd> fds) {
    List<Fd> copies = new ArrayList<>();
    try (Memory block = new Memory(2L * OPAQUE + 2L * SIGNAL_SET);
        Strings cArgv = new Strings(argv);
        Strings cEnv = new Strings(env)) {
      block.clear();
      Pointer actions = block.share(0, OPAQUE);
      Pointer attributes = block.share(OPAQUE, OPAQUE);
      Pointer none = block.share(2L * OPAQUE, SIGNAL_SET);
      Pointer all = block.share(2L * OPAQUE + SIGNAL_SET, SIGNAL_SET);
      all.setMemory(0, SIGNAL_SET, (byte) 0xff);
      done(ProcessCalls.posix_spawn_file_actions_init(actions), "file_actions_init");
      try {
        done(ProcessCalls.posix_spawnattr_init(attributes), "attr_init");
        try {
          short flags = SETSIGDEF | SETSIGMASK | SETSID;
          done(ProcessCalls.posix_spawnattr_setflags(attributes, flags), "attr_setflags");
          done(ProcessCalls.posix_spawnattr_setsigmask(attributes, none), "attr_setsigmask");
          done(ProcessCalls.posix_spawnattr_setsigdefault(attributes, all), "attr_setsigdefault");
          place(actions, fds, copies);
          int[] pid = new int[1];
          int errno =
              ProcessCalls.posix_spawn(
                  pid, LibC.path(path), actions, attributes, cArgv.block, cEnv.block);
          if (errno != 0) {
            throw new KernelException("posix_spawn(\"" + path + "\", " + argv + ")", errno);
          }
          return pid[0];
        } finally {
          ProcessCalls.posix_spawnattr_destroy(attributes);
        }
      } finally {
        ProcessCalls.posix_spawn_file_actions_destroy(actions);
      }
    } finally {
      copies.forEach(Fd::close);
    }
  }

  /// The steps that leave the child with these descriptors only. Each is first copied above all the
  /// wanted numbers, so that placing one never overwrites another.
  private static void place(Pointer actions, Map<Integer, Fd> fds, List<Fd> copies) {
    int end = 1 + fds.keySet().stream().mapToInt(i -> i).max().orElse(-1);
    for (int target = 0; target < end; target++) {
      Fd fd = fds.get(target);
      if (fd == null) {
        done(ProcessCalls.posix_spawn_file_actions_addclose(actions, target), "addclose");
      } else {
        int copy = LibC.fcntl(fd.number(), LibC.F_DUPFD_CLOEXEC, end);
        if (copy < 0) {
          int errno = LibC.errno();
          throw new KernelException("fcntl(" + fd + ", F_DUPFD_CLOEXEC)", errno);
        }
        copies.add(new Fd(copy));
        done(ProcessCalls.posix_spawn_file_actions_adddup2(actions, copy, target), "adddup2");
      }
    }
    done(ProcessCalls.posix_spawn_file_actions_addclosefrom_np(actions, end), "addclosefrom");
  }

  private static void done(int errno, String call) {
    if (errno != 0) {
      throw new KernelException("posix_spawn_" + call + "()", errno);
    }
  }

  /// A null-terminated array of C strings in one block.
  private static final class Strings implements AutoCloseable {
    final Memory block;

    Strings(List<String> strings) {
      List<byte[]> encoded = new ArrayList<>();
      long size = 8L * (strings.size() + 1);
      for (String s : strings) {
        byte[] bytes = LibC.path(s);
        encoded.add(bytes);
        size += bytes.length;
      }
      block = new Memory(size);
      long at = 8L * (strings.size() + 1);
      for (int i = 0; i < encoded.size(); i++) {
        byte[] bytes = encoded.get(i);
        block.write(at, bytes, 0, bytes.length);
        block.setPointer(8L * i, block.share(at));
        at += bytes.length;
      }
      block.setPointer(8L * encoded.size(), Pointer.NULL);
    }

    @Override
    public void close() {
      block.close();
    }
  }
}
