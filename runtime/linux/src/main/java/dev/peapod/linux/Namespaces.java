package dev.peapod.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Namespaces: opening, entering, and pinning them to a name (namespaces(7), setns(2)).
public final class Namespaces {
  /// The kinds of namespace, with their name in `/proc/PID/ns` and their clone flag.
  public enum Type {
    CGROUP("cgroup", 0x02000000),
    IPC("ipc", 0x08000000),
    MNT("mnt", 0x00020000),
    NET("net", 0x40000000),
    PID("pid", 0x20000000),
    USER("user", 0x10000000),
    UTS("uts", 0x04000000);

    private final String file;
    private final int flag;

    Type(String file, int flag) {
      this.file = file;
      this.flag = flag;
    }

    /// The name below `/proc/PID/ns`.
    public String file() {
      return file;
    }

    /// The `CLONE_NEW...` flag.
    public int flag() {
      return flag;
    }
  }

  private static final int CLONE_FS = 0x200;

  private Namespaces() {}

  /// Runs `work` inside the namespace, on a platform thread of its own that ends afterwards, and
  /// answers its result.
  ///
  /// What is opened in there (a socket, a file below `/proc/sys/net`) stays bound to the namespace
  /// and is used from anywhere; `work` should do no more than open it. It must not start threads,
  /// wake virtual threads, or wait: a thread born there would stay there.
  ///
  /// @param namespace a namespace descriptor, from [#open(int, Type)] or a pinned file
  /// @throws KernelException if the namespace can not be entered
  /// @throws Exception what `work` throws, as it is
  public static <T> T within(Fd namespace, Callable<T> work) throws Exception {
    OwnThread<T> own =
        new OwnThread<>(
            () -> {
              // A thread that shares its root directory may not enter a mount namespace.
              LibC.check(ProcessCalls.unshare(CLONE_FS), "unshare(CLONE_FS)");
              if (ProcessCalls.setns(namespace.number(), 0) < 0) {
                int errno = LibC.errno();
                throw new KernelException("setns(" + namespace + ")", errno);
              }
              return work.call();
            });
    own.runToItsEnd();
    return own.result();
  }

  /// Runs what changes its thread's namespaces on a platform thread of its own; as
  /// [#within(Fd, Callable)] otherwise.
  static <T> T onOwnThread(Supplier<T> work) {
    OwnThread<T> own = new OwnThread<>(work::get);
    own.runToItsEnd();
    try {
      return own.result();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// Makes a new namespace of a type that a thread may have for itself (CGROUP, IPC, NET, UTS); the descriptor keeps it.
  public static Fd create(Type type) {
    return onOwnThread(
        () -> {
          LibC.check(ProcessCalls.unshare(type.flag), "unshare(CLONE_NEW" + type + ")");
          return Fd.open("/proc/thread-self/ns/" + type.file(), Open.RDONLY);
        });
  }

  /// Opens a namespace of a process; the descriptor keeps the namespace.
  ///
  /// @throws KernelException ENOENT or ESRCH if the process is gone
  public static Fd open(int pid, Type type) {
    return Fd.open("/proc/" + pid + "/ns/" + type.file(), Open.RDONLY);
  }

  /// The namespaces of a process, as `ls -l /proc/PID/ns` shows them: `net` is `net:[4026531840]`, and so on. Empty if
  /// the process is gone.
  public static SortedMap<String, String> names(int pid) {
    SortedMap<String, String> names = new TreeMap<>();
    try {
      for (Type type : Type.values()) {
        Path link = Path.of("/proc/" + pid + "/ns/" + type.file());
        names.put(type.file(), Files.readSymbolicLink(link).toString());
      }
      return names;
    } catch (IOException e) {
      return Collections.emptySortedMap();
    }
  }

  /// Opens a namespace of the process that a pidfd refers to, and of no other one.
  ///
  /// @throws KernelException ESRCH or ENOENT if it is gone
  public static Fd open(Pidfd process, Type type) {
    Fd namespace = open(process.pid(), type);
    if (process.isAlive()) {
      return namespace;
    }
    namespace.close();
    throw new KernelException("open(\"/proc/" + process.pid() + "/ns/\")", Errno.ESRCH);
  }

  /// Keeps a namespace under a name: an empty file is made at `path` and the namespace mounted
  /// there. The directory must exist. A file that is there already is used.
  public static void pin(Fd namespace, Path path) {
    byte[] cPath = LibC.path(path.toString());
    // Not opened: once mounted, it can not be opened for writing.
    if (FileCalls.mknodat(LibC.AT_FDCWD, cPath, Open.S_IFREG | 0444, 0) < 0) {
      int errno = LibC.errno();
      if (errno != Errno.EEXIST) {
        throw new KernelException("mknod(\"" + path + "\")", errno);
      }
    }
    Mounts.bind(namespace, path);
  }

  /// Pins a namespace of a process; see [#pin(Fd, Path)].
  public static void pin(Pidfd process, Type type, Path path) {
    try (Fd namespace = open(process, type)) {
      pin(namespace, path);
    }
  }

  /// Pins a namespace of a process; see [#pin(Fd, Path)].
  public static void pin(int pid, Type type, Path path) {
    try (Fd namespace = open(pid, type)) {
      pin(namespace, path);
    }
  }

  /// Takes all that is mounted at `path` away, and the file; what is gone already is fine.
  public static void unpin(Path path) {
    while (Mounts.unmount(path, Mounts.DETACH | Mounts.NOFOLLOW)) {
      // Pinned more than once by a daemon that crashed in between.
    }
    if (FileCalls.unlinkat(LibC.AT_FDCWD, LibC.path(path.toString()), 0) < 0) {
      int errno = LibC.errno();
      if (errno != Errno.ENOENT) {
        throw new KernelException("unlink(\"" + path + "\")", errno);
      }
    }
  }

  private static final class OwnThread<T> implements Runnable {
    private final Callable<T> work;
    private @Nullable T value;
    private @Nullable Throwable failure;

    OwnThread(Callable<T> work) {
      this.work = work;
    }

    @Override
    public void run() {
      try {
        value = work.call();
      } catch (Throwable e) {
        failure = e;
      }
    }

    void runToItsEnd() {
      Thread thread = Thread.ofPlatform().name("namespace").start(this);
      boolean interrupted = false;
      while (true) {
        try {
          // Waiting for the thread's end, not for a future: completing a future would wake a
          // virtual thread, and so perhaps start a carrier, from inside the namespace.
          thread.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    @SuppressWarnings("NullAway") // T may itself be nullable to the caller
    T result() throws Exception {
      switch (failure) {
        case null -> {
          return value;
        }
        case Exception e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }
  }
}
