package dev.peapod.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Asks as a resolver's client does, and reads what is answered with code of its own.
final class Ask {
  static final int ID = 0x1234;

  private Ask() {}

  /// A question with recursion wanted.
  static byte[] question(String name, int type) {
    return message(name, type, 1, 0);
  }

  /// The same with EDNS.
  static byte[] edns(String name, int type, int size, int version) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(message(name, type, 1, 1));
    out.writeBytes(
        new byte[] {0, 0, 41, (byte) (size >> 8), (byte) size, 0, (byte) version, 0, 0, 0, 0});
    return out.toByteArray();
  }

  static byte[] message(String name, int type, int klass, int additional) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        new byte[] {ID >> 8, ID & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte) additional});
    for (String label : name.split("\\.")) {
      if (!label.isEmpty()) {
        out.write(label.length());
        out.writeBytes(label.getBytes(ISO_8859_1));
      }
    }
    out.writeBytes(new byte[] {0, 0, (byte) type, 0, (byte) klass});
    return out.toByteArray();
  }

  static byte[] byDatagram(InetSocketAddress server, byte[] question, int millis)
      throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(server);
      socket.setSoTimeout(millis);
      socket.send(new DatagramPacket(question, question.length));
      DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(packet);
      return Arrays.copyOf(packet.getData(), packet.getLength());
    }
  }

  static byte[] byStream(InetSocketAddress server, byte[] question) throws IOException {
    try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
      socket.setSoTimeout(30_000);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeShort(question.length);
      out.write(question);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readUnsignedShort()];
      in.readFully(answer);
      return answer;
    }
  }

  /// What stands in an answer: `NOERROR aa answer web.x. 5 A 10.0.0.1`, a word for the code, flags, and each record.
  static List<String> read(byte[] message) {
    List<String> lines = new ArrayList<>();
    Reader in = new Reader(message);
    int flags = in.u16(2);
    String code =
        switch (flags & 0xf) {
          case 0 -> "NOERROR";
          case 1 -> "FORMERR";
          case 2 -> "SERVFAIL";
          case 3 -> "NXDOMAIN";
          case 4 -> "NOTIMP";
          case 5 -> "REFUSED";
          default -> "CODE" + (flags & 0xf);
        };
    lines.add(code + ((flags & 0x400) != 0 ? " aa" : "") + ((flags & 0x200) != 0 ? " tc" : ""));
    in.at = 12;
    for (int i = 0; i < in.u16(4); i++) {
      in.name();
      in.at += 4;
    }
    for (int section = 0; section < 3; section++) {
      for (int i = 0; i < in.u16(6 + 2 * section); i++) {
        lines.add(List.of("answer", "authority", "additional").get(section) + " " + in.record());
      }
    }
    return lines;
  }

  private static final class Reader {
    final byte[] message;
    int at;

    Reader(byte[] message) {
      this.message = message;
    }

    int u8(int place) {
      return message[place] & 0xff;
    }

    int u16(int place) {
      return u8(place) << 8 | u8(place + 1);
    }

    int next16() {
      at += 2;
      return u16(at - 2);
    }

    String name() {
      StringBuilder text = new StringBuilder();
      int back = -1;
      for (int length = message[at++] & 0xff; length != 0; length = message[at++] & 0xff) {
        if (length >= 0xc0) {
          int target = (length & 0x3f) << 8 | message[at++] & 0xff;
          back = back < 0 ? at : back;
          at = target;
        } else {
          for (int i = 0; i < length; i++) {
            text.append((char) (message[at++] & 0xff));
          }
          text.append('.');
        }
      }
      at = back < 0 ? at : back;
      return text.isEmpty() ? "." : text.toString();
    }

    String record() {
      String owner = name();
      int type = next16();
      int klass = next16();
      int seconds = next16() << 16 | next16();
      int length = next16();
      int end = at + length;
      String data =
          switch (type) {
            case 1 ->
                "A " + u8(at) + "." + u8(at + 1) + "." + u8(at + 2) + "." + u8(at + 3);
            case 5 -> "CNAME " + name();
            case 6 -> "SOA " + name() + " " + name();
            case 12 -> "PTR " + name();
            case 16 -> "TXT " + new String(message, at + 1, u8(at), ISO_8859_1);
            case 28 -> "AAAA";
            case 33 -> "SRV " + next16() + " " + next16() + " " + next16() + " " + name();
            case 41 -> "OPT " + klass + " " + (seconds >>> 24);
            default -> "TYPE" + type;
          };
      at = end;
      return type == 41 ? data : owner + " " + seconds + " " + data;
    }
  }
}
