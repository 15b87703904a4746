package dev.peapod.linux.netlink;

import dev.peapod.linux.KernelException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The routes of one network namespace's main table. Thread-safe.
public final class Routes {
  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_GETROUTE = 26;
  private static final int RTA_DST = 1;
  private static final int RTA_OIF = 4;
  private static final int RTA_GATEWAY = 5;
  private static final int RT_TABLE_MAIN = 254;
  private static final int RTPROT_STATIC = 4;
  private static final int RT_SCOPE_UNIVERSE = 0;
  private static final int RT_SCOPE_LINK = 253;
  private static final int RTN_UNICAST = 1;
  private static final int FIXED_PART = 12;

  private final NetlinkSocket socket;

  Routes(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Adds a route.
  ///
  /// @throws KernelException EEXIST if there is one to that destination
  public void add(Route route) {
    InetAddress to = route.destination().address();
    int scope = route.gateway().isPresent() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    int flags = NetlinkRequest.ACK | NetlinkRequest.CREATE | NetlinkRequest.EXCLUSIVE;
    NetlinkRequest request =
        new NetlinkRequest()
            .message(RTM_NEWROUTE, flags)
            .u8(Addresses.family(to))
            .u8(route.destination().length())
            .u8(0)
            .u8(0)
            .u8(RT_TABLE_MAIN)
            .u8(RTPROT_STATIC)
            .u8(scope)
            .u8(RTN_UNICAST)
            .u32(0)
            .bytes(RTA_DST, to.getAddress())
            .u32(RTA_OIF, route.link());
    route.gateway().ifPresent(gateway -> request.bytes(RTA_GATEWAY, gateway.getAddress()));
    socket.execute(
        request,
        "RTM_NEWROUTE("
            + route.destination()
            + route.gateway().map(gateway -> " via " + gateway.getHostAddress()).orElse("")
            + ")");
  }

  /// The unicast routes of the main table that name a link.
  public List<Route> list() {
    NetlinkRequest request =
        new NetlinkRequest()
            .message(RTM_GETROUTE, NetlinkRequest.DUMP)
            .u32(0)
            .u8(RT_TABLE_MAIN)
            .u8(0)
            .u8(0)
            .u8(RTN_UNICAST)
            .u32(0);
    List<Route> routes = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(request, "RTM_GETROUTE")) {
      NetlinkMessage.Attributes attributes = message.attributes(FIXED_PART);
      OptionalInt link = attributes.u32(RTA_OIF);
      if (link.isPresent()) {
        int addressBytes = message.u8(0) == Addresses.AF_INET ? 4 : 16;
        byte[] to = attributes.bytes(RTA_DST).orElseGet(() -> new byte[addressBytes]);
        Optional<InetAddress> gateway = attributes.bytes(RTA_GATEWAY).map(Addresses::address);
        routes.add(
            new Route(
                new IpPrefix(Addresses.address(to), message.u8(1)), gateway, link.getAsInt()));
      }
    }
    return routes;
  }
}
