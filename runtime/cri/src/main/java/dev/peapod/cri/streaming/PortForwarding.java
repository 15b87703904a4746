package dev.peapod.cri.streaming;

import io.netty.channel.Channel;
import java.util.HashMap;
import java.util.Map;

/// Forwarded ports of one client: for each connection a pair of streams, one for data and one for what
/// goes wrong. What happens to a pair is nothing to the others.
final class PortForwarding implements SpdyConnection.Use {
  /// The protocol's name, in the upgrade's headers.
  static final String PROTOCOL = "portforward.k8s.io";

  /// The name of its transport through a WebSocket.
  static final String TUNNEL = "SPDY/3.1+portforward.k8s.io";

  private static final String ERROR = "error";
  private static final String DATA = "data";

  private final PortConnections connections;
  // The first stream of a pair, by type and request.
  private final Map<String, SpdyStream> unpaired = new HashMap<>();

  PortForwarding(Channel client, Ticket.PortForward ticket) {
    this.connections = new PortConnections(client, ticket);
  }

  @Override
  public boolean opened(SpdyStream stream, Map<String, String> headers) {
    String type = headers.getOrDefault("streamtype", "");
    String request = headers.getOrDefault("requestid", "");
    int port;
    try {
      port = Integer.parseInt(headers.getOrDefault("port", ""));
    } catch (NumberFormatException e) {
      return false;
    }
    if (!type.equals(DATA) && !type.equals(ERROR)) {
      return false;
    }
    SpdyStream other = unpaired.remove((type.equals(DATA) ? ERROR : DATA) + request);
    if (other == null) {
      return unpaired.putIfAbsent(type + request, stream) == null;
    }
    SpdyStream data = type.equals(DATA) ? stream : other;
    SpdyStream error = type.equals(DATA) ? other : stream;
    connections.connect(data, error, port);
    return true;
  }

  @Override
  public void writabilityChanged() {
    connections.writabilityChanged();
  }

  @Override
  public void closed() {
    connections.closed();
  }
}
