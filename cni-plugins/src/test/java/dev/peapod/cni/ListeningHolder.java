package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// A holder of host ports with real sockets in a namespace; TCP alone is forwarded, UDP is only
/// bound.
final class ListeningHolder implements PortHolder {
  private final ScratchNamespace host;
  private final Map<String, List<AutoCloseable>> held = new ConcurrentHashMap<>();

  ListeningHolder(ScratchNamespace host) {
    this.host = host;
  }

  @Override
  public void hold(String sandboxId, List<HeldPort> ports) {
    List<AutoCloseable> sockets = held.computeIfAbsent(sandboxId, id -> new ArrayList<>());
    for (HeldPort port : ports) {
      // Java can not bind :: for IPv6 alone.
      boolean everyIpv6 = port.address().getHostAddress().equals("0:0:0:0:0:0:0:0");
      String address = everyIpv6 ? "::1" : port.address().getHostAddress();
      try {
        if (port.protocol() == Protocol.UDP) {
          if (!everyIpv6) {
            sockets.add(host.datagrams(address, port.port()));
          }
        } else {
          ServerSocketChannel server = host.bind(address, port.port());
          sockets.add(server);
          Thread.ofPlatform().daemon().start(() -> forward(server, port));
        }
      } catch (BindException e) {
        release(sandboxId);
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "host port " + port.port() + " is taken: " + e.getMessage(),
            e);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void release(String sandboxId) {
    for (AutoCloseable socket : held.getOrDefault(sandboxId, List.of())) {
      try {
        socket.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    held.remove(sandboxId);
  }

  java.util.Set<String> sandboxes() {
    return held.keySet();
  }

  private void forward(ServerSocketChannel server, HeldPort port) {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept()) {
        String answer = host.ask(port.target().getHostAddress(), port.targetPort());
        client.write(StandardCharsets.UTF_8.encode("held " + answer));
      } catch (IOException e) {
        // Closed by release, or the pod does not answer.
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
