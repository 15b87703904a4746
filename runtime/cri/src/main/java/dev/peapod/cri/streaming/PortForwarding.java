package dev.peapod.cri.streaming;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Forwarded ports of one client: for each connection a pair of streams, one for data and one for what
/// goes wrong. What happens to a pair is nothing to the others.
final class PortForwarding implements SpdyConnection.Use {
  /// The protocol's name, in the upgrade's headers.
  static final String PROTOCOL = "portforward.k8s.io";

  /// The name of its transport through a WebSocket.
  static final String TUNNEL = "SPDY/3.1+portforward.k8s.io";

  private static final Logger LOG = System.getLogger(PortForwarding.class.getName());
  private static final String ERROR = "error";
  private static final String DATA = "data";

  private final Channel client;
  private final Ticket.PortForward ticket;
  // The first stream of a pair, by type and request.
  private final Map<String, SpdyStream> unpaired = new HashMap<>();
  private final Set<ForwardedPort> connected = new HashSet<>();
  private boolean closed;

  PortForwarding(Channel client, Ticket.PortForward ticket) {
    this.client = client;
    this.ticket = ticket;
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
    Thread.ofVirtual().name("portforward").start(() -> connect(data, error, port));
    return true;
  }

  private void connect(SpdyStream data, SpdyStream error, int port) {
    try {
      Fd socket = ticket.connect().apply(port);
      client.eventLoop().execute(() -> connected(data, error, socket));
    } catch (PeapodException e) {
      client.eventLoop().execute(() -> refused(data, error, String.valueOf(e.getMessage())));
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "forwarding port " + port + " failed", e);
      client.eventLoop().execute(() -> refused(data, error, "peapodd has a defect: " + e));
    }
  }

  private static void refused(SpdyStream data, SpdyStream error, String reason) {
    ByteBuf text = Unpooled.copiedBuffer(reason, StandardCharsets.UTF_8);
    error.finish(text);
    data.finish(Unpooled.EMPTY_BUFFER);
  }

  private void connected(SpdyStream data, SpdyStream error, Fd socket) {
    if (closed) {
      socket.close();
      return;
    }
    ForwardedPort port = new ForwardedPort(client, data, error, connected::remove);
    connected.add(port);
    port.start(socket);
  }

  @Override
  public void writabilityChanged() {
    connected.forEach(ForwardedPort::clientWritabilityChanged);
  }

  @Override
  public void closed() {
    closed = true;
    Set.copyOf(connected).forEach(ForwardedPort::broken);
  }
}
