package dev.peapod.linux.netlink;

/// Links, addresses, routes and bridge tables of one network namespace, through one socket. Thread-safe.
public final class Rtnetlink implements AutoCloseable {
  private final NetlinkSocket socket;
  private final Links links;
  private final Addresses addresses;
  private final Routes routes;
  private final BridgeTable bridgeTable;

  /// Takes ownership of a socket of [NetlinkSocket#ROUTE].
  public Rtnetlink(NetlinkSocket socket) {
    this.socket = socket;
    this.links = new Links(socket);
    this.addresses = new Addresses(socket);
    this.routes = new Routes(socket);
    this.bridgeTable = new BridgeTable(socket);
  }

  /// Opens the network namespace of the calling thread.
  public static Rtnetlink open() {
    return new Rtnetlink(NetlinkSocket.open(NetlinkSocket.ROUTE));
  }

  public Links links() {
    return links;
  }

  public Addresses addresses() {
    return addresses;
  }

  public Routes routes() {
    return routes;
  }

  public BridgeTable bridgeTable() {
    return bridgeTable;
  }

  @Override
  public void close() {
    socket.close();
  }
}
