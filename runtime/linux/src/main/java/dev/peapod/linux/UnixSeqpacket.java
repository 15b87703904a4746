package dev.peapod.linux;

import com.sun.jna.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// One end of a `SOCK_SEQPACKET` unix socket, over which messages and descriptors pass (unix(7)).
///
/// Thread-safe: sends exclude each other, and so do receives. Messages keep their borders.
public final class UnixSeqpacket implements AutoCloseable {
  /// The most descriptors that the kernel passes with one message.
  public static final int MAX_FDS = 253;

  /// Two connected sockets; closing it closes both.
  public record Pair(UnixSeqpacket left, UnixSeqpacket right) implements AutoCloseable {
    @Override
    public void close() {
      left.close();
      right.close();
    }
  }

  /// A message and the descriptors that came with it, now the receiver's; an empty message without
  /// descriptors is the end of file. Closing it closes the descriptors.
  public record Received(byte[] message, List<Fd> fds) implements AutoCloseable {
    /// Whether the other end is closed and nothing more will come.
    public boolean isEnd() {
      return message.length == 0 && fds.isEmpty();
    }

    @Override
    public void close() {
      fds.forEach(Fd::close);
    }
  }

  // struct msghdr, struct iovec, then control and data, in one native block a direction.
  private static final int IOV = 56;
  private static final int CONTROL = 72;
  private static final int CONTROL_HEADER = 16;
  private static final int DATA = CONTROL + CONTROL_HEADER + (MAX_FDS * 4 + 7) / 8 * 8;

  private final Fd fd;
  private final Direction sending = new Direction();
  private final Direction receiving = new Direction();

  /// Takes ownership of a connected socket.
  public UnixSeqpacket(Fd fd) {
    this.fd = fd;
  }

  /// Two new connected sockets, close-on-exec.
  public static Pair pair() {
    int[] pair = new int[2];
    int type = SocketCalls.SOCK_SEQPACKET | SocketCalls.SOCK_CLOEXEC;
    LibC.check(
        SocketCalls.socketpair(SocketCalls.AF_UNIX, type, 0, pair), "socketpair(SOCK_SEQPACKET)");
    return new Pair(new UnixSeqpacket(new Fd(pair[0])), new UnixSeqpacket(new Fd(pair[1])));
  }

  /// Connects to a listening socket; its path may be of any length.
  ///
  /// @throws KernelException ENOENT if there is none, ECONNREFUSED if nobody listens any more
  public static UnixSeqpacket connect(Path path) {
    int type = SocketCalls.SOCK_SEQPACKET | SocketCalls.SOCK_CLOEXEC;
    Fd socket =
        new Fd((int) LibC.check(SocketCalls.socket(SocketCalls.AF_UNIX, type, 0), "socket()"));
    // Through a descriptor of the socket's file: a name has room for 107 bytes.
    try (Fd file = Fd.open(path.toString(), Open.PATH)) {
      byte[] text = LibC.path("/proc/self/fd/" + file.number());
      byte[] name = new byte[2 + text.length];
      name[0] = SocketCalls.AF_UNIX;
      System.arraycopy(text, 0, name, 2, text.length);
      if (SocketCalls.connect(socket.number(), name, name.length) < 0) {
        int errno = LibC.errno();
        throw new KernelException("connect(\"" + path + "\")", errno);
      }
      return new UnixSeqpacket(socket);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /// The socket, to register it with an [EventLoop] or to give it to a child; still owned by this
  /// object.
  public Fd fd() {
    return fd;
  }

  /// Sends one message. While the other end's queue is full it waits, without holding a carrier.
  ///
  /// @param message at least one byte
  /// @param fds at most [#MAX_FDS]; they stay the caller's
  /// @throws KernelException EPIPE if the other end is closed
  public void send(byte[] message, List<Fd> fds) {
    if (message.length == 0 || fds.size() > MAX_FDS) {
      throw new IllegalArgumentException(message.length + " bytes, " + fds.size() + " descriptors");
    }
    while (!trySend(message, fds)) {
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new KernelException("sendmsg(" + fd + ")", Errno.EINTR);
      }
    }
  }

  /// As [#send(byte[], List)] if there is room now, else false.
  public boolean trySend(byte[] message, List<Fd> fds) {
    sending.lock.lock();
    try {
      Memory m = sending.prepare(message.length, controlLength(fds.size()));
      m.write(DATA, message, 0, message.length);
      if (!fds.isEmpty()) {
        m.setLong(CONTROL, CONTROL_HEADER + fds.size() * 4L);
        m.setInt(CONTROL + 8, SocketCalls.SOL_SOCKET);
        m.setInt(CONTROL + 12, SocketCalls.SCM_RIGHTS);
        for (int i = 0; i < fds.size(); i++) {
          m.setInt(CONTROL + CONTROL_HEADER + i * 4L, fds.get(i).number());
        }
      }
      while (true) {
        int flags = SocketCalls.MSG_NOSIGNAL | SocketCalls.MSG_DONTWAIT;
        if (SocketCalls.sendmsg(fd.number(), m, flags) >= 0) {
          return true;
        }
        int errno = LibC.errno();
        if (errno == Errno.EAGAIN) {
          return false;
        }
        if (errno != Errno.EINTR) {
          throw new KernelException(
              "sendmsg(" + message.length + " bytes, " + fds.size() + " descriptors)", errno);
        }
      }
    } finally {
      sending.lock.unlock();
    }
  }

  /// Waits for one message: for platform threads only, since it holds the carrier.
  ///
  /// @throws KernelException EMSGSIZE if the message or its descriptors are more than asked for;
  ///     that message is lost and its descriptors are closed
  public Received receive(int maxBytes, int maxFds) {
    return receive(maxBytes, maxFds, 0).orElseThrow();
  }

  /// The next message if there is one now; for handlers of an [EventLoop]. As
  /// [#receive(int, int)] otherwise.
  public Optional<Received> tryReceive(int maxBytes, int maxFds) {
    return receive(maxBytes, maxFds, SocketCalls.MSG_DONTWAIT);
  }

  private Optional<Received> receive(int maxBytes, int maxFds, int flags) {
    if (maxFds > MAX_FDS) {
      throw new IllegalArgumentException("more than " + MAX_FDS + " descriptors");
    }
    receiving.lock.lock();
    try {
      Memory m = receiving.prepare(maxBytes, controlLength(maxFds));
      long n;
      while ((n = SocketCalls.recvmsg(fd.number(), m, flags | SocketCalls.MSG_CMSG_CLOEXEC)) < 0) {
        int errno = LibC.errno();
        if (errno == Errno.EAGAIN) {
          return Optional.empty();
        }
        if (errno != Errno.EINTR) {
          throw new KernelException("recvmsg(" + fd + ")", errno);
        }
      }
      Received received = new Received(m.getByteArray(DATA, (int) n), descriptors(m));
      if ((m.getInt(48) & (SocketCalls.MSG_TRUNC | SocketCalls.MSG_CTRUNC)) != 0) {
        received.close();
        throw new KernelException(
            "recvmsg(at most " + maxBytes + " bytes, " + maxFds + " descriptors)", Errno.EMSGSIZE);
      }
      return Optional.of(received);
    } finally {
      receiving.lock.unlock();
    }
  }

  private static List<Fd> descriptors(Memory m) {
    List<Fd> fds = new ArrayList<>();
    long end = CONTROL + m.getLong(40);
    for (long at = CONTROL; at + CONTROL_HEADER <= end; ) {
      long length = m.getLong(at);
      if (length < CONTROL_HEADER) {
        break;
      }
      if (m.getInt(at + 8) == SocketCalls.SOL_SOCKET
          && m.getInt(at + 12) == SocketCalls.SCM_RIGHTS) {
        for (long i = at + CONTROL_HEADER; i + 4 <= at + length; i += 4) {
          fds.add(new Fd(m.getInt(i)));
        }
      }
      at += (length + 7) / 8 * 8;
    }
    return List.copyOf(fds);
  }

  private static int controlLength(int fds) {
    return fds == 0 ? 0 : CONTROL_HEADER + (fds * 4 + 7) / 8 * 8;
  }

  @Override
  public void close() {
    fd.close();
  }

  /// The native block of one direction, grown as needed, guarded by the lock.
  private static final class Direction {
    final ReentrantLock lock = new ReentrantLock();
    private Memory block = new Memory(DATA);

    Memory prepare(int dataLength, int controlLength) {
      if (block.size() < DATA + (long) dataLength) {
        Memory old = block;
        block = new Memory(DATA + Math.max(1024L, Long.highestOneBit(dataLength) * 2));
        old.close();
      }
      Memory m = block;
      m.clear(CONTROL);
      m.setPointer(16, m.share(IOV));
      m.setLong(24, 1);
      m.setPointer(IOV, m.share(DATA));
      m.setLong(IOV + 8, dataLength);
      if (controlLength > 0) {
        m.setPointer(32, m.share(CONTROL));
        m.setLong(40, controlLength);
      }
      return m;
    }
  }
}
