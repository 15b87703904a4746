package dev.peapod.cri.streaming;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/// The connections into a pod that one client has. For the thread of the client's connection.
final class PortConnections {
  private static final Logger LOG = System.getLogger(PortConnections.class.getName());

  private final Channel client;
  private final Ticket.PortForward ticket;
  private final Set<ForwardedPort> connected = new HashSet<>();
  private boolean closed;

  PortConnections(Channel client, Ticket.PortForward ticket) {
    this.client = client;
    this.ticket = ticket;
  }

  /// Connects, without waiting for it, and passes on what comes from either side.
  ///
  /// @param error is told why there is no connection
  void connect(ClientStream data, ClientStream error, int port) {
    Thread.ofVirtual().name("portforward").start(() -> connectNow(data, error, port));
  }

  private void connectNow(ClientStream data, ClientStream error, int port) {
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

  private static void refused(ClientStream data, ClientStream error, String reason) {
    ByteBuf text = Unpooled.copiedBuffer(reason, StandardCharsets.UTF_8);
    error.finish(text);
    data.finish(Unpooled.EMPTY_BUFFER);
  }

  private void connected(ClientStream data, ClientStream error, Fd socket) {
    if (closed) {
      socket.close();
      return;
    }
    ForwardedPort port = new ForwardedPort(client, data, error, connected::remove);
    connected.add(port);
    port.start(socket);
  }

  /// The client takes more, or no more for now.
  void writabilityChanged() {
    connected.forEach(ForwardedPort::clientWritabilityChanged);
  }

  /// The client has gone.
  void closed() {
    closed = true;
    Set.copyOf(connected).forEach(ForwardedPort::broken);
  }
}
