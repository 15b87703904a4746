package dev.peapod.linux.netlink;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The network interfaces of one network namespace. Thread-safe.
public final class Links {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_DELLINK = 17;
  private static final int RTM_GETLINK = 18;

  private static final int IFLA_ADDRESS = 1;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_MTU = 4;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_IFALIAS = 20;
  private static final int IFLA_NET_NS_FD = 28;
  private static final int IFLA_EXT_MASK = 29;
  private static final int IFLA_NUM_TX_QUEUES = 31;
  private static final int IFLA_NUM_RX_QUEUES = 32;

  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_INFO_DATA = 2;
  private static final int IFLA_INFO_SLAVE_KIND = 4;
  private static final int IFLA_INFO_SLAVE_DATA = 5;
  private static final int VETH_INFO_PEER = 1;
  private static final int IFLA_BRPORT_MODE = 4;

  private static final int RTEXT_FILTER_SKIP_STATS = 8;
  private static final int IFF_UP = 1;
  private static final int FIXED_PART = 16;
  private static final int MAX_NAME = 15;

  private final NetlinkSocket socket;

  Links(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// The link of that name, if there is one.
  public Optional<Link> find(String name) {
    requireName(name);
    NetlinkRequest request =
        header(RTM_GETLINK, 0, 0, 0, 0)
            .text(IFLA_IFNAME, name)
            .u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    try {
      return Optional.of(read(socket.get(request, "RTM_GETLINK(" + name + ")")));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENODEV) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// All links.
  public List<Link> list() {
    NetlinkRequest request =
        header(RTM_GETLINK, NetlinkRequest.DUMP, 0, 0, 0)
            .u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return socket.dump(request, "RTM_GETLINK").stream().map(Links::read).toList();
  }

  /// Makes a bridge that is down.
  ///
  /// @param mac its hardware address, which then does not change as ports come and go
  /// @throws KernelException EEXIST if there is a link of that name
  public void createBridge(String name, MacAddress mac) {
    requireName(name);
    NetlinkRequest request = create();
    request
        .text(IFLA_IFNAME, name)
        .bytes(IFLA_ADDRESS, mac.bytes())
        .nested(IFLA_LINKINFO, () -> request.text(IFLA_INFO_KIND, "bridge"));
    socket.execute(request, "RTM_NEWLINK(" + name + " type bridge)");
  }

  /// Makes a pair of connected links, both down.
  ///
  /// @throws KernelException EEXIST if there is a link of one of the names
  public void createVeth(VethPair pair) {
    requireName(pair.name());
    requireName(pair.peerName());
    NetlinkRequest request = create();
    request.text(IFLA_IFNAME, pair.name());
    ends(request, pair.mtu());
    pair.master().ifPresent(master -> request.u32(IFLA_MASTER, master));
    request.nested(
        IFLA_LINKINFO,
        () ->
            request
                .text(IFLA_INFO_KIND, "veth")
                .nested(
                    IFLA_INFO_DATA,
                    () -> request.nested(VETH_INFO_PEER, () -> peer(request, pair))));
    socket.execute(
        request, "RTM_NEWLINK(" + pair.name() + " type veth peer " + pair.peerName() + ")");
  }

  /// Changes the link of that name.
  ///
  /// @throws KernelException ENODEV if there is none
  public void change(String name, LinkSettings settings) {
    requireName(name);
    int flags = settings.up().orElse(false) ? IFF_UP : 0;
    int mask = settings.up().isPresent() ? IFF_UP : 0;
    NetlinkRequest request =
        header(RTM_NEWLINK, NetlinkRequest.ACK, 0, flags, mask).text(IFLA_IFNAME, name);
    settings.mac().ifPresent(mac -> request.bytes(IFLA_ADDRESS, mac.bytes()));
    settings.mtu().ifPresent(mtu -> request.u32(IFLA_MTU, mtu));
    settings.master().ifPresent(master -> request.u32(IFLA_MASTER, master));
    settings.alias().ifPresent(alias -> request.text(IFLA_IFALIAS, alias));
    settings
        .hairpin()
        .ifPresent(
            hairpin ->
                request.nested(
                    IFLA_LINKINFO,
                    () ->
                        request
                            .text(IFLA_INFO_SLAVE_KIND, "bridge")
                            .nested(
                                IFLA_INFO_SLAVE_DATA,
                                () -> request.u8(IFLA_BRPORT_MODE, hairpin ? 1 : 0))));
    socket.execute(request, "RTM_NEWLINK(" + name + ")");
  }

  /// Deletes the link of that name; does nothing if there is none.
  ///
  /// @throws KernelException if the kernel refuses
  public void delete(String name) {
    requireName(name);
    NetlinkRequest request =
        header(RTM_DELLINK, NetlinkRequest.ACK, 0, 0, 0).text(IFLA_IFNAME, name);
    try {
      socket.execute(request, "RTM_DELLINK(" + name + ")");
    } catch (KernelException e) {
      if (e.errno() != Errno.ENODEV) {
        throw e;
      }
    }
  }

  private static void peer(NetlinkRequest request, VethPair pair) {
    fixedPart(request, 0, 0, 0);
    request.text(IFLA_IFNAME, pair.peerName()).u32(IFLA_NET_NS_FD, pair.peerNamespace().number());
    ends(request, pair.mtu());
    pair.peerMac().ifPresent(mac -> request.bytes(IFLA_ADDRESS, mac.bytes()));
  }

  private static void ends(NetlinkRequest request, int mtu) {
    // Otherwise the kernel makes one queue for each possible processor and uses one of them.
    request.u32(IFLA_NUM_TX_QUEUES, 1).u32(IFLA_NUM_RX_QUEUES, 1);
    if (mtu != 0) {
      request.u32(IFLA_MTU, mtu);
    }
  }

  private static NetlinkRequest create() {
    int flags = NetlinkRequest.ACK | NetlinkRequest.CREATE | NetlinkRequest.EXCLUSIVE;
    return header(RTM_NEWLINK, flags, 0, 0, 0);
  }

  private static NetlinkRequest header(
      int type, int messageFlags, int index, int flags, int changeMask) {
    NetlinkRequest request = new NetlinkRequest().message(type, messageFlags);
    fixedPart(request, index, flags, changeMask);
    return request;
  }

  /// `struct ifinfomsg`.
  private static void fixedPart(NetlinkRequest request, int index, int flags, int changeMask) {
    request.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(changeMask);
  }

  private static Link read(NetlinkMessage message) {
    NetlinkMessage.Attributes attributes = message.attributes(FIXED_PART);
    OptionalInt mtu = attributes.u32(IFLA_MTU);
    return new Link(
        message.u32(4),
        attributes.text(IFLA_IFNAME).orElse(""),
        (message.u32(8) & IFF_UP) != 0,
        attributes.bytes(IFLA_ADDRESS).filter(b -> b.length == 6).map(MacAddress::of),
        mtu.orElse(0),
        attributes.u32(IFLA_MASTER),
        attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND),
        attributes.text(IFLA_IFALIAS));
  }

  private static void requireName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      throw new IllegalArgumentException(
          "interface name \"" + name + "\" does not have 1 to " + MAX_NAME + " characters");
    }
  }
}
