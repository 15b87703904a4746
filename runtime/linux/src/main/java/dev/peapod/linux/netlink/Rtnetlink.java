package dev.peapod.linux.netlink;

/// Links, addresses and routes of one network namespace, through one socket. Thread-safe.
public final class Rtnetlink implements AutoCloseable {
  private final NetlinkSocket socket;
  private final Links links;
  private final Addresses addresses;
  private final Routes routes;

  /// Takes ownership of a socket of [NetlinkSocket#ROUTE].
  public Rtnetlink(NetlinkSocket socket) {
    this.socket = socket;
    this.links = new Links(socket);
    this.addresses = new Addresses(socket);
    this.routes = new Routes(socket);
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

  @Override
  public void close() {
    socket.close();
  }
}
