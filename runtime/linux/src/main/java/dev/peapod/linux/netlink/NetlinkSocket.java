package dev.peapod.linux.netlink;

import com.sun.jna.Memory;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.LibC;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// A netlink socket: one request at a time, each with its answers. Thread-safe.
///
/// It stays in the network namespace of the thread that opened it.
public final class NetlinkSocket implements AutoCloseable {
  /// Protocol of links, addresses and routes.
  public static final int ROUTE = 0;

  /// Protocol of netfilter.
  public static final int NETFILTER = 12;

  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_DUMP_INTERRUPTED = 0x10;
  private static final int NLM_F_CAPPED = 0x100;
  private static final int NLM_F_ACK_TLVS = 0x200;
  private static final int NLMSGERR_ATTR_MSG = 1;
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int ATTEMPTS = 8;

  private final ReentrantLock lock = new ReentrantLock();
  private final Fd fd;
  private Memory outgoing = new Memory(4096);
  private final Memory incoming = new Memory(BUFFER_BYTES);
  private int sequence;

  private NetlinkSocket(Fd fd) {
    this.fd = fd;
  }

  /// Opens a socket in the network namespace of the calling thread.
  ///
  /// @param protocol [#ROUTE] or [#NETFILTER]
  public static NetlinkSocket open(int protocol) {
    long number =
        LibC.check(
            SocketCalls.socket(
                SocketCalls.AF_NETLINK, SocketCalls.SOCK_RAW | SocketCalls.SOCK_CLOEXEC, protocol),
            "socket(AF_NETLINK, " + protocol + ")");
    Fd fd = new Fd((int) number);
    try (Memory value = new Memory(16)) {
      value.setInt(0, 1);
      set(fd, SocketCalls.SOL_NETLINK, SocketCalls.NETLINK_EXT_ACK, value, 4);
      set(fd, SocketCalls.SOL_NETLINK, SocketCalls.NETLINK_CAP_ACK, value, 4);
      set(fd, SocketCalls.SOL_NETLINK, SocketCalls.NETLINK_GET_STRICT_CHK, value, 4);
      // An answer is there when the send returns; a lost one must become an error, not a hang.
      value.setLong(0, 5);
      value.setLong(8, 0);
      set(fd, SocketCalls.SOL_SOCKET, SocketCalls.SO_RCVTIMEO, value, 16);
      return new NetlinkSocket(fd);
    } catch (KernelException e) {
      fd.close();
      throw e;
    }
  }

  /// Sends one message that makes, changes or deletes something, and waits until it is done.
  ///
  /// @param what the request as a person would write it, for the error
  /// @throws KernelException with the kernel's explanation, if it gave one
  public void execute(NetlinkRequest request, String what) {
    lock.lock();
    try {
      int expected = send(request, what);
      while (true) {
        for (Reply reply : receive(what)) {
          if (reply.sequence() == expected && reply.type() == NLMSG_ERROR) {
            reply.throwIfFailed(what);
            return;
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Sends one message that asks for one thing, and answers it.
  ///
  /// @throws KernelException if there is no such thing, among others
  public NetlinkMessage get(NetlinkRequest request, String what) {
    lock.lock();
    try {
      int expected = send(request, what);
      while (true) {
        for (Reply reply : receive(what)) {
          if (reply.sequence() == expected) {
            reply.throwIfFailed(what);
            return reply.message();
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Sends one message with [NetlinkRequest#DUMP], and answers all that the kernel lists. A list
  /// that changed while it was read is read again.
  public List<NetlinkMessage> dump(NetlinkRequest request, String what) {
    lock.lock();
    try {
      for (int attempt = 1; ; attempt++) {
        List<NetlinkMessage> messages = new ArrayList<>();
        boolean whole = readDump(send(request, what), messages, what);
        if (whole || attempt == ATTEMPTS) {
          return messages;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Sends several messages as one datagram, and answers when the kernel has handled it; for
  /// nfnetlink batches, which the kernel applies as a whole or not at all. At least one message
  /// must ask for [NetlinkRequest#ACK].
  ///
  /// @throws KernelException of the first message that failed
  public void batch(NetlinkRequest request, String what) {
    lock.lock();
    try {
      int expected = send(request, what);
      boolean answered = false;
      while (true) {
        List<Reply> replies = receive(what, SocketCalls.MSG_DONTWAIT);
        if (replies.isEmpty()) {
          if (!answered) {
            throw new KernelException(what, Errno.EIO);
          }
          return;
        }
        for (Reply reply : replies) {
          if (reply.sequence() == expected) {
            answered = true;
            if (reply.failed()) {
              drain(what);
            }
            reply.throwIfFailed(what);
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      fd.close();
    } finally {
      lock.unlock();
    }
  }

  private boolean readDump(int expected, List<NetlinkMessage> messages, String what) {
    boolean whole = true;
    while (true) {
      for (Reply reply : receive(what)) {
        if (reply.sequence() != expected) {
          continue;
        }
        whole &= (reply.flags() & NLM_F_DUMP_INTERRUPTED) == 0;
        reply.throwIfFailed(what);
        if (reply.type() == NLMSG_DONE) {
          return whole;
        }
        messages.add(reply.message());
      }
    }
  }

  private void drain(String what) {
    while (!receive(what, SocketCalls.MSG_DONTWAIT).isEmpty()) {
      // What is left over of a failed batch says nothing new.
    }
  }

  private int send(NetlinkRequest request, String what) {
    int mine = ++sequence;
    byte[] bytes = request.encode(mine);
    if (outgoing.size() < bytes.length) {
      outgoing.close();
      outgoing = new Memory(bytes.length * 2L);
    }
    outgoing.write(0, bytes, 0, bytes.length);
    while (SocketCalls.send(fd.number(), outgoing, bytes.length, 0) == -1) {
      int errno = LibC.errno();
      if (errno != Errno.EINTR) {
        throw new KernelException(what, errno);
      }
    }
    return mine;
  }

  private List<Reply> receive(String what) {
    List<Reply> replies = receive(what, 0);
    if (replies.isEmpty()) {
      throw new KernelException(what, Errno.ETIMEDOUT);
    }
    return replies;
  }

  private List<Reply> receive(String what, int flags) {
    while (true) {
      long length =
          SocketCalls.recv(
              fd.number(), incoming, BUFFER_BYTES, flags | SocketCalls.MSG_TRUNC);
      if (length > BUFFER_BYTES) {
        throw new KernelException(what, Errno.EOVERFLOW);
      }
      if (length >= 0) {
        return split(incoming.getByteArray(0, (int) length));
      }
      int errno = LibC.errno();
      if (errno == Errno.EAGAIN) {
        return List.of();
      }
      if (errno != Errno.EINTR) {
        throw new KernelException(what, errno);
      }
    }
  }

  private static List<Reply> split(byte[] datagram) {
    List<Reply> replies = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
    int at = 0;
    while (at + 16 <= datagram.length) {
      int length = in.getInt(at);
      if (length < 16 || length > datagram.length - at) {
        throw new IllegalStateException("malformed netlink message of " + length + " bytes");
      }
      byte[] payload = new byte[length - 16];
      in.get(at + 16, payload);
      replies.add(
          new Reply(
              in.getShort(at + 4) & 0xffff,
              in.getShort(at + 6) & 0xffff,
              in.getInt(at + 8),
              payload));
      at += NetlinkRequest.align(length);
    }
    return replies;
  }

  private static void set(Fd fd, int level, int option, Memory value, int length) {
    LibC.check(
        SocketCalls.setsockopt(fd.number(), level, option, value, length),
        "setsockopt(" + level + ", " + option + ")");
  }

  private record Reply(int type, int flags, int sequence, byte[] payload) {
    NetlinkMessage message() {
      return new NetlinkMessage(type, sequence, payload);
    }

    boolean failed() {
      return errno() != 0;
    }

    void throwIfFailed(String what) {
      if (failed()) {
        throw new KernelException(what, errno(), explanation());
      }
    }

    private int errno() {
      boolean carriesErrno = type == NLMSG_ERROR || (type == NLMSG_DONE && payload.length >= 4);
      return carriesErrno ? -message().u32(0) : 0;
    }

    private String explanation() {
      if ((flags & NLM_F_ACK_TLVS) == 0) {
        return "";
      }
      int fixed = 4;
      if (type == NLMSG_ERROR) {
        // The request's header comes back, and its payload too unless the answer is capped.
        fixed += (flags & NLM_F_CAPPED) != 0 ? 16 : NetlinkRequest.align(message().u32(4));
      }
      return message().attributes(fixed).text(NLMSGERR_ATTR_MSG).orElse("");
    }
  }
}
