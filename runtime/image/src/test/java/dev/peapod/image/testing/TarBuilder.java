package dev.peapod.image.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;

/// Writes tar archives byte by byte, hostile ones included.
public final class TarBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int uid;
  private int gid;
  private long mtime = 1_000_000_000L;

  public TarBuilder owner(int uid, int gid) {
    this.uid = uid;
    this.gid = gid;
    return this;
  }

  public TarBuilder mtime(long seconds) {
    mtime = seconds;
    return this;
  }

  public TarBuilder file(String name, int mode, String content) {
    return entry(name, '0', mode, "", content.getBytes(StandardCharsets.UTF_8), 0, 0);
  }

  public TarBuilder file(String name, int mode, byte[] content) {
    return entry(name, '0', mode, "", content, 0, 0);
  }

  public TarBuilder directory(String name, int mode) {
    return entry(name, '5', mode, "", new byte[0], 0, 0);
  }

  public TarBuilder symlink(String name, String target) {
    return entry(name, '2', 0777, target, new byte[0], 0, 0);
  }

  public TarBuilder hardlink(String name, String target) {
    return entry(name, '1', 0644, target, new byte[0], 0, 0);
  }

  public TarBuilder node(String name, char type, int mode, int major, int minor) {
    return entry(name, type, mode, "", new byte[0], major, minor);
  }

  /// A PAX header for the next entry, of keys and values in turn; bytes are taken as Latin-1.
  public TarBuilder pax(String... pairs) {
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (int i = 0; i < pairs.length; i += 2) {
      byte[] rest =
          (" " + pairs[i] + "=" + pairs[i + 1] + "\n").getBytes(StandardCharsets.ISO_8859_1);
      int length = rest.length + 1;
      while (Integer.toString(length).length() + rest.length != length) {
        length++;
      }
      records.writeBytes(Integer.toString(length).getBytes(StandardCharsets.US_ASCII));
      records.writeBytes(rest);
    }
    return entry("PaxHeaders/x", 'x', 0644, "", records.toByteArray(), 0, 0);
  }

  /// A GNU long name (`L`) or long link (`K`) for the next entry.
  public TarBuilder gnuLong(char type, String text) {
    byte[] content = (text + "\0").getBytes(StandardCharsets.ISO_8859_1);
    return entry("././@LongLink", type, 0, "", content, 0, 0);
  }

  public TarBuilder entry(
      String name, char type, int mode, String link, byte[] content, int major, int minor) {
    byte[] header = new byte[512];
    put(header, 0, 100, name);
    put(header, 100, 8, String.format("%07o", mode));
    put(header, 108, 8, String.format("%07o", uid));
    put(header, 116, 8, String.format("%07o", gid));
    put(header, 124, 12, String.format("%011o", content.length));
    put(header, 136, 12, String.format("%011o", mtime));
    header[156] = (byte) type;
    put(header, 157, 100, link);
    put(header, 257, 8, "ustar\00000");
    put(header, 329, 8, String.format("%07o", major));
    put(header, 337, 8, String.format("%07o", minor));
    sum(header);
    out.writeBytes(header);
    out.writeBytes(content);
    out.writeBytes(new byte[(512 - content.length % 512) % 512]);
    return this;
  }

  /// The same archive with one text replaced by another in all link names.
  public TarBuilder replacing(String text, String by) {
    byte[] all = out.toByteArray();
    TarBuilder copy = new TarBuilder();
    for (int at = 0; at < all.length; ) {
      byte[] header = Arrays.copyOfRange(all, at, at + 512);
      String link = text(header, 157, 100);
      if (link.contains(text)) {
        Arrays.fill(header, 157, 257, (byte) 0);
        put(header, 157, 100, link.replace(text, by));
        sum(header);
      }
      int size = Integer.parseInt(text(header, 124, 11), 8);
      int blocks = (size + 511) / 512 * 512;
      copy.out.writeBytes(header);
      copy.out.write(all, at + 512, blocks);
      at += 512 + blocks;
    }
    return copy;
  }

  private static String text(byte[] header, int at, int length) {
    int end = at;
    while (end < at + length && header[end] != 0) {
      end++;
    }
    return new String(header, at, end - at, StandardCharsets.ISO_8859_1);
  }

  private static void sum(byte[] header) {
    Arrays.fill(header, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, 8, String.format("%06o\0 ", sum));
  }

  public byte[] bytes() {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.writeBytes(out.toByteArray());
    whole.writeBytes(new byte[1024]);
    return whole.toByteArray();
  }

  public byte[] gzip() {
    return gzip(bytes());
  }

  public static byte[] gzip(byte[] content) {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return zipped.toByteArray();
  }

  private static void put(byte[] header, int at, int length, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, header, at, Math.min(length, bytes.length));
  }
}
