package dev.peapod.linux.systemd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is said to a systemd that answers as it is told to; the guest has a real one.
class SystemdTest {
  @TempDir Path directory;

  /// One connection: everything that comes is kept, and after the hellos the answers are given at once.
  private CompletableFuture<byte[]> peer(byte[]... answers) throws IOException {
    Path socket = directory.resolve("private");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    return CompletableFuture.supplyAsync(
        () -> {
          try (server;
              SocketChannel client = server.accept()) {
            ByteBuffer in = ByteBuffer.allocate(1 << 16);
            while (!new String(in.array(), 0, in.position(), StandardCharsets.ISO_8859_1).contains("BEGIN\r\n")) {
              client.read(in);
            }
            client.write(ByteBuffer.wrap("OK 1234deadbeef\r\n".getBytes(StandardCharsets.US_ASCII)));
            while (!new String(in.array(), 0, in.position(), StandardCharsets.ISO_8859_1).contains("BEGIN\r\nl")) {
              client.read(in);
            }
            for (byte[] answer : answers) {
              client.write(ByteBuffer.wrap(answer));
            }
            while (client.read(in) >= 0) {
              // Until it has what it wants.
            }
            byte[] all = new byte[in.flip().remaining()];
            in.get(all);
            return all;
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private Systemd systemd() {
    return new Systemd(directory.resolve("private"));
  }

  /// A message of systemd's, with the header fields that it sends.
  private static byte[] answer(int type, int replyTo, String member, String error, String signature, Marshalled body) {
    Marshalled message = new Marshalled();
    message.octet('l').octet(type).octet(1).octet(1).number(body.length()).number(99);
    message.array(
        8,
        () -> {
          if (replyTo > 0) {
            message.align(8).octet(5).signature("u").number(replyTo);
          }
          if (!member.isEmpty()) {
            message.align(8).octet(1).signature("o").text("/org/freedesktop/systemd1");
            message.align(8).octet(3).signature("s").text(member);
          }
          if (!error.isEmpty()) {
            message.align(8).octet(4).signature("s").text(error);
          }
          message.align(8).octet(8).signature("g").signature(signature);
        });
    return message.align(8).octets(body.toBytes()).toBytes();
  }

  private static byte[] removed(String job, String result) {
    Marshalled body = new Marshalled().number(7).text(job).text("x.slice").text(result);
    return answer(4, 0, "JobRemoved", "", "uoss", body);
  }

  private static byte[] job(int replyTo, String job) {
    return answer(2, replyTo, "", "", "o", new Marshalled().text(job));
  }

  @Test
  void propertiesAreWrittenAsTheSpecificationSays() throws IOException {
    CompletableFuture<byte[]> heard =
        peer(answer(2, 1, "", "", "", new Marshalled()));
    systemd().set("x.slice", List.of(Property.of("MemoryMax", 0x0102030405060708L)));
    byte[] all = heard.join();
    String text = new String(all, StandardCharsets.ISO_8859_1);
    assertThat(text).startsWith("\0AUTH EXTERNAL 30\r\nBEGIN\r\nl\1\2\1");
    int begin = text.indexOf("l\1\2\1");
    byte[] message = Arrays.copyOfRange(all, begin, all.length);
    // The unit, true, an array of 32 bytes whose one structure begins at a multiple of 8: its name, its type, its value at
    // a multiple of 8.
    assertThat(HexFormat.of().formatHex(message))
        .endsWith(
            "07000000" + hex("x.slice\0") + "01000000" + "20000000"
                + "00000000" + "09000000" + hex("MemoryMax\0") + "017400" + "00000000000000" + "0807060504030201");
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void aJobThatIsOverBeforeItIsToldOfIsNotWaitedFor() throws IOException {
    CompletableFuture<byte[]> heard = peer(removed("/job/1", "failed"), removed("/job/2", "done"), job(1, "/job/2"));
    systemd().start("x.slice", List.of());
    assertThat(new String(heard.join(), StandardCharsets.ISO_8859_1)).contains("StartTransientUnit");
  }

  @Test
  void aJobThatFailsIsSaid() throws IOException {
    peer(job(1, "/job/1"), removed("/job/1", "timeout"));
    assertThatThrownBy(() -> systemd().start("x.slice", List.of()))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("x.slice")
        .hasMessageContaining("timeout");
  }

  @Test
  void anErrorIsSaidInSystemdsWords() throws IOException {
    peer(answer(3, 1, "", "org.freedesktop.DBus.Error.AccessDenied", "s", new Marshalled().text("not you")));
    assertThatThrownBy(() -> systemd().set("x.slice", List.of()))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("not you");
  }

  @Test
  void whatIsNotThereIsStopped() throws IOException {
    CompletableFuture<byte[]> heard =
        peer(
            answer(3, 1, "", "org.freedesktop.systemd1.NoSuchUnit", "s", new Marshalled().text("none")),
            answer(3, 2, "", "org.freedesktop.systemd1.NoSuchUnit", "s", new Marshalled().text("none")));
    systemd().stop("x.slice");
    assertThat(new String(heard.join(), StandardCharsets.ISO_8859_1)).contains("StopUnit");
  }

  @Test
  void garbageAndSilenceAreUnavailable() throws IOException {
    assertThatThrownBy(() -> systemd().stop("x.slice"))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.UNAVAILABLE));
    byte[] huge = new byte[16];
    huge[0] = 'l';
    huge[1] = 2;
    huge[7] = 127;
    peer(huge);
    assertThatThrownBy(() -> systemd().stop("x.slice"))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.UNAVAILABLE));
  }
}
