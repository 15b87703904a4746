package dev.peapod.linux.netlink;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/// The IP addresses of the links of one network namespace. Thread-safe.
public final class Addresses {
  private static final int RTM_NEWADDR = 20;
  private static final int RTM_DELADDR = 21;
  private static final int RTM_GETADDR = 22;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_BROADCAST = 4;
  static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int FIXED_PART = 8;
  private static final int SHORTEST_WITHOUT_BROADCAST = 31;

  private final NetlinkSocket socket;

  Addresses(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Gives a link an address; an IPv4 one with the broadcast address of its network.
  ///
  /// @param link the link's index
  /// @throws KernelException EEXIST if it has it already
  public void add(int link, IpPrefix address) {
    int flags = NetlinkRequest.ACK | NetlinkRequest.CREATE | NetlinkRequest.EXCLUSIVE;
    NetlinkRequest request = header(RTM_NEWADDR, flags, link, address);
    if (address.address() instanceof Inet4Address
        && address.length() < SHORTEST_WITHOUT_BROADCAST) {
      request.bytes(IFA_BROADCAST, address.last().getAddress());
    }
    socket.execute(request, "RTM_NEWADDR(" + address + ")");
  }

  /// Takes an address from a link; does nothing if it does not have it.
  ///
  /// @param link the link's index
  public void delete(int link, IpPrefix address) {
    try {
      socket.execute(
          header(RTM_DELADDR, NetlinkRequest.ACK, link, address), "RTM_DELADDR(" + address + ")");
    } catch (KernelException e) {
      if (e.errno() != Errno.EADDRNOTAVAIL) {
        throw e;
      }
    }
  }

  /// The addresses of a link, of both families.
  ///
  /// @param link the link's index
  public List<IpPrefix> of(int link) {
    NetlinkRequest request =
        new NetlinkRequest()
            .message(RTM_GETADDR, NetlinkRequest.DUMP)
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u32(link);
    List<IpPrefix> addresses = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(request, "RTM_GETADDR(" + link + ")")) {
      NetlinkMessage.Attributes attributes = message.attributes(FIXED_PART);
      attributes
          .bytes(IFA_LOCAL)
          .or(() -> attributes.bytes(IFA_ADDRESS))
          .ifPresent(bytes -> addresses.add(new IpPrefix(address(bytes), message.u8(1))));
    }
    return addresses;
  }

  static int family(InetAddress address) {
    return address instanceof Inet4Address ? AF_INET : AF_INET6;
  }

  static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("malformed address of " + bytes.length + " bytes", e);
    }
  }

  private static NetlinkRequest header(int type, int flags, int link, IpPrefix address) {
    byte[] bytes = address.address().getAddress();
    return new NetlinkRequest()
        .message(type, flags)
        .u8(family(address.address()))
        .u8(address.length())
        .u8(0)
        .u8(0)
        .u32(link)
        .bytes(IFA_LOCAL, bytes)
        .bytes(IFA_ADDRESS, bytes);
  }
}
