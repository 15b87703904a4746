package dev.peapod.linux.netlink;

/// Which hardware address is behind which port of a bridge (bridge(8), `bridge fdb`). Thread-safe.
public final class BridgeTable {
  private static final int RTM_NEWNEIGH = 28;
  private static final int NDA_LLADDR = 2;
  private static final int AF_BRIDGE = 7;
  private static final int NUD_NOARP = 0x40;
  private static final int NTF_MASTER = 0x04;
  private static final int NTF_STICKY = 0x40;

  private final NetlinkSocket socket;

  BridgeTable(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Says that an address is behind a port, whatever the bridge has learnt or will see: the entry is static, and sticky
  /// (Linux 4.20), so that no frame from another port moves it. It is forgotten when the port goes.
  ///
  /// @param port the index of a link that is a port of a bridge
  public void place(MacAddress address, int port) {
    int flags = NetlinkRequest.ACK | NetlinkRequest.CREATE | NetlinkRequest.REPLACE;
    NetlinkRequest request =
        new NetlinkRequest()
            .message(RTM_NEWNEIGH, flags)
            .u8(AF_BRIDGE)
            .u8(0)
            .u16(0)
            .u32(port)
            .u16(NUD_NOARP)
            .u8(NTF_MASTER | NTF_STICKY)
            .u8(0)
            .bytes(NDA_LLADDR, address.bytes());
    socket.execute(request, "RTM_NEWNEIGH(" + address + ")");
  }
}
