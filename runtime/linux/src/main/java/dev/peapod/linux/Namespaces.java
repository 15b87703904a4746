package dev.peapod.linux;

import java.util.concurrent.Callable;
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
    Entered<T> entered = new Entered<>(namespace, work);
    Thread thread = Thread.ofPlatform().name("namespace").unstarted(entered);
    thread.start();
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
    return entered.result();
  }

  /// Opens a namespace of a process; the descriptor keeps the namespace.
  ///
  /// @throws KernelException ENOENT or ESRCH if the process is gone
  public static Fd open(int pid, Type type) {
    return Fd.open("/proc/" + pid + "/ns/" + type.file(), Open.RDONLY);
  }

  private static final class Entered<T> implements Runnable {
    private final Fd namespace;
    private final Callable<T> work;
    private @Nullable T value;
    private @Nullable Throwable failure;

    Entered(Fd namespace, Callable<T> work) {
      this.namespace = namespace;
      this.work = work;
    }

    @Override
    public void run() {
      try {
        // A thread that shares its root and working directory may not enter a mount namespace.
        LibC.check(ProcessCalls.unshare(CLONE_FS), "unshare(CLONE_FS)");
        if (ProcessCalls.setns(namespace.number(), 0) < 0) {
          throw new KernelException("setns(" + namespace + ")", LibC.errno());
        }
        value = work.call();
      } catch (Throwable e) {
        failure = e;
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
