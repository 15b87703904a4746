package dev.peapod.linux.systemd;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// A D-Bus connection from peer to peer, without a bus between (D-Bus specification). For one thread; whatever is
/// waited for fails after half a minute.
final class Connection implements AutoCloseable {
  private static final long PATIENCE = 30;
  private static final int LONGEST_LINE = 4096;
  private static final int NO_AUTO_START = 2;

  private final SocketChannel channel;
  private final CompletableFuture<Void> timeout;
  private final Deque<Message> signals = new ArrayDeque<>();
  private int serial;

  private Connection(SocketChannel channel) {
    this.channel = channel;
    this.timeout =
        CompletableFuture.runAsync(
            () -> close(channel), CompletableFuture.delayedExecutor(PATIENCE, TimeUnit.SECONDS));
  }

  /// Connects as root; the peer learns that from the kernel.
  static Connection open(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    Connection connection = new Connection(channel);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      // The user's number, 0, in hexadecimal of its digits. All at once: systemd would not look at a call that it reads
      // together with the end of this until something else comes.
      connection.send(ascii("\0AUTH EXTERNAL 30\r\nBEGIN\r\n"));
      String answer = connection.line();
      if (!answer.startsWith("OK ")) {
        throw new IOException("it refuses to talk to this process: " + answer);
      }
      return connection;
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() < LONGEST_LINE) {
      char c = (char) receive(1).get(0);
      if (c == '\n') {
        return line.toString().strip();
      }
      line.append(c);
    }
    throw new IOException("a line without an end");
  }

  /// Calls a method and waits for its answer.
  ///
  /// @param arguments writes them
  /// @throws CallException if the answer is an error
  Message call(
      String path, String type, String method, String signature, Consumer<Marshalled> arguments)
      throws IOException, CallException {
    int own = ++serial;
    Marshalled body = new Marshalled();
    arguments.accept(body);
    Marshalled message = new Marshalled();
    message.octet('l').octet(Message.Type.CALL.ordinal()).octet(NO_AUTO_START).octet(1);
    message.number(body.length()).number(own);
    message.array(
        8,
        () -> {
          message.align(8).octet(1).signature("o").text(path);
          message.align(8).octet(2).signature("s").text(type);
          message.align(8).octet(3).signature("s").text(method);
          message.align(8).octet(8).signature("g").signature(signature);
        });
    message.align(8).octets(body.toBytes());
    send(message.toBytes());
    while (true) {
      Message answer = receive();
      if (answer.type() == Message.Type.SIGNAL) {
        signals.add(answer);
      } else if (answer.replyTo() == own) {
        if (answer.type() == Message.Type.ERROR) {
          String text = answer.body().hasRemaining() ? Message.text(answer.body()) : "";
          throw new CallException(answer.error(), text);
        }
        return answer;
      }
    }
  }

  /// Waits for a signal, which may have come before the answer to the call that led to it.
  ///
  /// @param fits may read its body
  void await(String member, Predicate<Message> fits) throws IOException {
    while (true) {
      Message signal = signals.isEmpty() ? receive() : signals.remove();
      if (signal.type() == Message.Type.SIGNAL
          && signal.member().equals(member)
          && fits.test(signal)) {
        return;
      }
    }
  }

  private Message receive() throws IOException {
    ByteBuffer prefix = receive(Message.PREFIX);
    int rest = Message.rest(prefix);
    ByteBuffer whole = ByteBuffer.allocate(Message.PREFIX + rest);
    whole.put(prefix).put(receive(rest)).flip();
    return Message.parse(whole);
  }

  private ByteBuffer receive(int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new IOException("it has closed the connection");
      }
    }
    return bytes.flip();
  }

  private void send(byte[] bytes) throws IOException {
    ByteBuffer out = ByteBuffer.wrap(bytes);
    while (out.hasRemaining()) {
      channel.write(out);
    }
  }

  @Override
  public void close() {
    timeout.cancel(false);
    close(channel);
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing that was sent could be lost by it.
    }
  }
}
