package dev.peapod.linux.nft;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.netlink.NetlinkMessage;
import dev.peapod.linux.netlink.NetlinkRequest;
import dev.peapod.linux.netlink.NetlinkSocket;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.Optional;

/// The connections that the kernel's netfilter remembers in one network namespace (nf_conntrack). Thread-safe.
///
/// What was redirected once goes on to be for as long as it is remembered, whatever became of the rule: of UDP that is as
/// long as datagrams come.
public final class Conntrack implements AutoCloseable {
  private static final int SUBSYSTEM = 1 << 8;
  private static final int GET = SUBSYSTEM | 1;
  private static final int DELETE = SUBSYSTEM | 2;
  private static final int FAMILY_IPV4 = 2;
  private static final int FIXED_PART = 4;
  private static final int NESTED = 0x8000;

  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_TUPLE_REPLY = 2;
  private static final int CTA_ZONE = 18;
  private static final int CTA_FILTER = 25;
  private static final int CTA_FILTER_ORIG_FLAGS = 1;
  private static final int CTA_FILTER_REPLY_FLAGS = 2;
  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int CTA_IP_V4_SRC = 1;
  private static final int CTA_PROTO_NUM = 1;
  private static final int CTA_PROTO_SRC_PORT = 2;

  /// Which parts of the reply's tuple count: source address, protocol, source port.
  private static final int FILTER = 1 | 1 << 3 | 1 << 4;

  private final NetlinkSocket socket;

  /// Takes ownership of a socket of [NetlinkSocket#NETFILTER].
  public Conntrack(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Forgets the connections that are answered from this address and port, so that their next packet goes by the rules of
  /// then.
  ///
  /// @param protocol such as 17 for UDP
  /// @return how many those were
  /// @throws KernelException if the kernel can not list connections
  public int forgetAnsweredFrom(Inet4Address address, int protocol, int port) {
    String what = "(" + address.getHostAddress() + ":" + port + ", protocol " + protocol + ")";
    NetlinkRequest list = header(GET, NetlinkRequest.DUMP);
    list.nested(
        CTA_TUPLE_REPLY,
        () ->
            list.nested(CTA_TUPLE_IP, () -> list.bytes(CTA_IP_V4_SRC, address.getAddress()))
                .nested(
                    CTA_TUPLE_PROTO,
                    () ->
                        list.u8(CTA_PROTO_NUM, protocol)
                            .bytes(
                                CTA_PROTO_SRC_PORT,
                                ByteBuffer.allocate(2).putShort((short) port).array())));
    list.nested(
        CTA_FILTER,
        () -> list.u32(CTA_FILTER_ORIG_FLAGS, 0).u32(CTA_FILTER_REPLY_FLAGS, FILTER));
    int count = 0;
    for (NetlinkMessage found : socket.dump(list, "IPCTNL_MSG_CT_GET" + what)) {
      count += forget(found.attributes(FIXED_PART), what) ? 1 : 0;
    }
    return count;
  }

  private boolean forget(NetlinkMessage.Attributes connection, String what) {
    Optional<byte[]> tuple = connection.bytes(CTA_TUPLE_ORIG);
    if (tuple.isEmpty()) {
      return false;
    }
    NetlinkRequest request = header(DELETE, NetlinkRequest.ACK);
    request.bytes(CTA_TUPLE_ORIG | NESTED, tuple.get());
    connection.bytes(CTA_ZONE).ifPresent(zone -> request.bytes(CTA_ZONE, zone));
    try {
      socket.execute(request, "IPCTNL_MSG_CT_DELETE" + what);
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void close() {
    socket.close();
  }

  private static NetlinkRequest header(int type, int flags) {
    return new NetlinkRequest().message(type, flags).u8(FAMILY_IPV4).u8(0).be16(0);
  }
}
