package dev.peapod.engine.launch;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Memfd;
import dev.peapod.linux.Open;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.PosixSpawn;
import dev.peapod.linux.UnixSeqpacket;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The client of the spawner: has it execute launch plans, and keeps one running.
///
/// The spawner is the small resident process that starts everything, so that this one never forks.
/// If it dies, what it started lives on; requests that it had not answered fail with UNAVAILABLE,
/// and the next one finds a new spawner. Thread-safe.
public final class Spawner implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Spawner.class.getName());
  private static final int ANSWER_SIZE = 64;
  private static final int STARTED = 1;
  private static final int FAILED = 2;
  private static final int EXITED = 3;
  private static final int READY = 4;
  private static final int SIGKILL = 9;
  private static final int MAX_PLAN = 4 << 20;

  /// How long a request may still be answered by a process that outlives the spawner.
  private static final long LAST_ANSWERS_MILLIS = 1000;

  private static final long EXIT_SECONDS = 5;

  /// Never closed.
  private static final Fd STDERR = new Fd(2);

  private final EventLoop loop;
  private final Fd pauseProgram;
  private final Fd joinerProgram;
  private final AtomicLong ids = new AtomicLong();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Connection connection;
  private volatile boolean closed;

  private Spawner(EventLoop loop, Fd pauseProgram, Fd joinerProgram) {
    this.loop = loop;
    this.pauseProgram = pauseProgram;
    this.joinerProgram = joinerProgram;
  }

  /// Starts a spawner.
  ///
  /// @param programs the directory with `pause` and `joiner`; both are copied to memory
  public static Spawner start(EventLoop loop, Path programs) {
    Fd pause = Memfd.sealed("pause", programs.resolve("pause"));
    try {
      Fd joiner = Memfd.sealed("joiner", programs.resolve("joiner"));
      Spawner spawner = new Spawner(loop, pause, joiner);
      try {
        spawner.live();
        return spawner;
      } catch (RuntimeException e) {
        joiner.close();
        throw e;
      }
    } catch (RuntimeException e) {
      pause.close();
      throw e;
    }
  }

  /// Executes a plan and waits until its program runs.
  ///
  /// @throws LaunchException if an operation of it failed; nothing of it is left then
  /// @throws PeapodException UNAVAILABLE if the spawner died meanwhile, INVALID if the plan is too
  ///     large
  public Started launch(LaunchPlan plan) {
    return await(submit(plan));
  }

  /// Sends a plan; the future fails as [#launch(LaunchPlan)] does. Its own callbacks run on the
  /// event loop's thread.
  public CompletableFuture<Started> submit(LaunchPlan plan) {
    byte[] encoded = plan.encode();
    if (encoded.length > MAX_PLAN) {
      throw PeapodException.invalid(
          "command, arguments and environment are together more than 4 MiB");
    }
    long id = ids.incrementAndGet();
    Request request = new Request(plan);
    Connection c = live();
    c.requests.put(id, request);
    try (Fd bytes = Memfd.sealed("plan", encoded)) {
      List<Fd> descriptors = new ArrayList<>(plan.descriptors().size() + 1);
      descriptors.add(bytes);
      descriptors.addAll(plan.descriptors());
      c.socket.send(header(id), descriptors);
    } catch (RuntimeException e) {
      c.requests.remove(id);
      if (e instanceof KernelException k && c.retired) {
        throw gone(k);
      }
      throw e;
    }
    if (c.ended) {
      request.fail(gone(null));
    } else if (c.retired) {
      c.failUnstartedSoon();
    }
    return request.started;
  }

  /// Waits for a submitted plan.
  ///
  /// @throws LaunchException as [#launch(LaunchPlan)]
  /// @throws PeapodException as [#launch(LaunchPlan)]
  public static Started await(CompletableFuture<Started> submitted) {
    try {
      return submitted.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /// The spawner's process number, 0 if there is none now.
  public int pid() {
    Connection c = connection;
    return c == null || c.retired ? 0 : c.process.pid();
  }

  /// Ends the spawner and waits for that; what it started lives on.
  @Override
  public void close() {
    Connection c;
    lock.lock();
    try {
      closed = true;
      c = connection;
      connection = null;
    } finally {
      lock.unlock();
    }
    if (c != null) {
      c.end(); // end of file: the spawner exits
      try {
        c.exited.get(EXIT_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException | ExecutionException e) {
        LOG.log(Level.WARNING, "the spawner, pid {0}, has not ended", c.process.pid());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    pauseProgram.close();
    joinerProgram.close();
  }

  private Connection live() {
    Connection c = connection;
    if (c != null && !c.retired) {
      return c;
    }
    lock.lock();
    try {
      c = connection;
      if (c != null && !c.retired) {
        return c;
      }
      if (closed) {
        throw new PeapodException(Kind.UNAVAILABLE, "the daemon is ending");
      }
      c = connect();
      connection = c;
      return c;
    } finally {
      lock.unlock();
    }
  }

  private Connection connect() {
    try (UnixSeqpacket.Pair pair = UnixSeqpacket.pair();
        Fd none = Fd.open("/dev/null", Open.RDWR)) {
      Map<Integer, Fd> descriptors =
          Map.of(
              0, none, 1, none, 2, STDERR, 3, pair.right().fd(), 4, pauseProgram, 5, joinerProgram);
      List<String> argv = List.of("joiner", "spawner");
      int pid = PosixSpawn.spawn(joinerProgram, argv, List.of(), descriptors);
      Pidfd process = Pidfd.open(pid).orElseThrow();
      UnixSeqpacket ours = new UnixSeqpacket(new Fd(pair.left().fd().release()));
      Connection c = new Connection(ours, process);
      c.watch();
      LOG.log(Level.DEBUG, "spawner started, pid {0}", pid);
      return c;
    }
  }

  private static PeapodException gone(@Nullable Throwable cause) {
    String text = "the launcher process died while it was starting this; try again";
    return cause == null
        ? new PeapodException(Kind.UNAVAILABLE, text)
        : new PeapodException(Kind.UNAVAILABLE, text, cause);
  }

  private static byte[] header(long id) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(PlanWriter.MAGIC)
        .putInt(PlanWriter.VERSION)
        .putLong(id)
        .array();
  }

  private static final class Request {
    final LaunchPlan plan;
    final CompletableFuture<Started> started = new CompletableFuture<>();
    final CompletableFuture<Integer> exited = new CompletableFuture<>();

    Request(LaunchPlan plan) {
      this.plan = plan;
    }

    void fail(RuntimeException cause) {
      started.completeExceptionally(cause);
      exited.completeExceptionally(cause);
    }
  }

  /// One spawner process and the socket to it and to what it started.
  private final class Connection {
    final UnixSeqpacket socket;
    final Pidfd process;
    final CompletableFuture<Void> exited = new CompletableFuture<>();
    final Map<Long, Request> requests = new ConcurrentHashMap<>();
    private EventLoop.@Nullable Registration reading;
    private EventLoop.@Nullable Registration exit;

    /// No new requests: the spawner is gone, answers may still come.
    volatile boolean retired;

    /// Nothing more will come.
    volatile boolean ended;

    Connection(UnixSeqpacket socket, Pidfd process) {
      this.socket = socket;
      this.process = process;
    }

    void watch() {
      exit = process.onExit(loop, this::processExited);
      reading = loop.register(socket.fd(), EventLoop.IN, events -> read());
    }

    private void processExited() {
      retired = true;
      int status = process.reap().orElse(-1);
      if (!closed) {
        LOG.log(
            Level.WARNING,
            "the spawner ended with status {0}; the next start makes a new one",
            status);
      }
      if (exit != null) {
        exit.close();
      }
      process.close();
      exited.complete(null);
      failUnstartedSoon();
    }

    void failUnstartedSoon() {
      Thread.startVirtualThread(
          () -> {
            try {
              TimeUnit.MILLISECONDS.sleep(LAST_ANSWERS_MILLIS);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            failUnstarted();
          });
    }

    private void failUnstarted() {
      requests.forEach(
          (id, request) -> {
            if (!request.started.isDone() && requests.remove(id) != null) {
              request.fail(gone(null));
            }
          });
    }

    private void read() {
      while (!ended) {
        Optional<UnixSeqpacket.Received> next;
        try {
          next = socket.tryReceive(ANSWER_SIZE, 2);
        } catch (KernelException e) {
          LOG.log(Level.WARNING, "reading from the spawner failed", e);
          end();
          return;
        }
        if (next.isEmpty()) {
          return;
        }
        if (next.get().isEnd()) {
          end();
          return;
        }
        answer(next.get());
      }
    }

    private void answer(UnixSeqpacket.Received received) {
      ByteBuffer b = ByteBuffer.wrap(received.message()).order(ByteOrder.LITTLE_ENDIAN);
      if (b.capacity() != ANSWER_SIZE || b.getInt(0) != PlanWriter.MAGIC) {
        LOG.log(Level.WARNING, "an answer of the spawner is not one");
        received.close();
        return;
      }
      long id = b.getLong(8);
      Request request = requests.get(id);
      switch (b.getInt(4)) {
        case READY -> received.close();
        case STARTED -> started(id, request, b, received);
        case FAILED -> {
          received.close();
          requests.remove(id);
          if (request != null) {
            int index = b.getInt(40);
            request.fail(new LaunchException(request.plan, index, b.getInt(44), b.getLong(56)));
          }
        }
        case EXITED -> {
          received.close();
          requests.remove(id);
          if (request != null) {
            request.exited.complete(b.getInt(52));
          }
        }
        default -> {
          received.close();
          LOG.log(Level.WARNING, "the spawner answered with unknown type {0}", b.getInt(4));
        }
      }
    }

    private void started(
        long id, @Nullable Request request, ByteBuffer b, UnixSeqpacket.Received received) {
      if (received.fds().isEmpty()) {
        received.close();
        requests.remove(id);
        if (request != null) {
          request.fail(gone(null));
        }
        return;
      }
      Pidfd pidfd = new Pidfd(b.getInt(16), received.fds().getFirst());
      Started started =
          new Started(
              pidfd,
              b.getLong(24),
              b.getInt(20),
              b.getLong(32),
              request == null ? new CompletableFuture<>() : request.exited,
              received.fds().stream().skip(1).findFirst());
      if (request == null || !request.started.complete(started)) {
        // Nobody waits for it any more.
        pidfd.signal(SIGKILL);
        received.close();
      }
      if (request == null || request.plan.kind() != PlanKind.EXEC) {
        requests.remove(id);
      }
    }

    private void end() {
      retired = true;
      ended = true;
      if (reading != null) {
        reading.close();
      }
      socket.close();
      requests.forEach((id, request) -> request.fail(gone(null)));
      requests.clear();
    }
  }
}
