package dev.peapod.cni;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Open;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/// A fresh network namespace for one test, with programs in it that listen and ask; gone when
/// closed.
final class ScratchNamespace implements AutoCloseable {
  private static final AtomicInteger COUNTER = new AtomicInteger();
  private static final int TIMEOUT_MILLIS = 3000;

  private final String name;
  private final Fd fd;
  private final List<AutoCloseable> open = new ArrayList<>();

  private ScratchNamespace(String name, Fd fd) {
    this.name = name;
    this.fd = fd;
  }

  static ScratchNamespace create() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "network namespaces need root");
    String name = "peacni-" + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
    run(List.of("ip", "netns", "add", name));
    return new ScratchNamespace(name, Fd.open("/run/netns/" + name, Open.RDONLY));
  }

  Path path() {
    return Path.of("/run/netns", name);
  }

  <T> T within(Callable<T> work) throws Exception {
    return Namespaces.within(fd, work);
  }

  /// Runs a command inside and answers what it printed.
  String exec(String... command) throws Exception {
    List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", name));
    whole.addAll(List.of(command));
    return run(whole);
  }

  /// Makes a pair of links, one end here, the other in another namespace.
  void connect(ScratchNamespace other, String here, String hereIp, String there, String thereIp)
      throws Exception {
    exec("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", other.name);
    exec("ip", "addr", "add", hereIp, "dev", here);
    exec("ip", "link", "set", here, "up");
    other.exec("ip", "addr", "add", thereIp, "dev", there);
    other.exec("ip", "link", "set", there, "up");
    exec("ip", "link", "set", "lo", "up");
    other.exec("ip", "link", "set", "lo", "up");
  }

  /// Listens, and tells everyone who connects a word and the address that they come from.
  void serve(String address, int port, String word) throws Exception {
    ServerSocketChannel server = bind(address, port);
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              while (server.isOpen()) {
                try (SocketChannel client = server.accept()) {
                  InetSocketAddress from = (InetSocketAddress) client.getRemoteAddress();
                  String answer = word + " " + from.getAddress().getHostAddress();
                  client.write(StandardCharsets.UTF_8.encode(answer));
                } catch (IOException e) {
                  // Closed with the namespace.
                }
              }
            });
  }

  /// A listening socket that is closed with the namespace.
  ServerSocketChannel bind(String address, int port) throws Exception {
    boolean four = address.indexOf(':') < 0;
    ServerSocketChannel server = within(() -> ServerSocketChannel.open(four ? INET : INET6));
    open.add(server);
    server.bind(new InetSocketAddress(InetAddress.ofLiteral(address), port));
    return server;
  }

  /// A datagram socket that is closed with the namespace.
  DatagramChannel datagrams(String address, int port) throws Exception {
    DatagramChannel channel = within(() -> DatagramChannel.open(INET));
    open.add(channel);
    channel.bind(new InetSocketAddress(InetAddress.ofLiteral(address), port));
    channel.socket().setSoTimeout(TIMEOUT_MILLIS);
    return channel;
  }

  /// Connects and answers what the other side says; fails if it does not answer.
  String ask(String address, int port) throws Exception {
    boolean four = address.indexOf(':') < 0;
    try (SocketChannel client = within(() -> SocketChannel.open(four ? INET : INET6))) {
      client.socket().connect(
          new InetSocketAddress(InetAddress.ofLiteral(address), port), TIMEOUT_MILLIS);
      client.socket().setSoTimeout(TIMEOUT_MILLIS);
      return new String(
          client.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
    fd.close();
    if (Files.exists(path())) {
      run(List.of("ip", "netns", "del", name));
    }
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", command, output).isZero();
    return output;
  }
}
