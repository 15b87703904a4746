package dev.peapod.image.layer;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.FileAttributes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads tar archives: v7, ustar, PAX and GNU, as tar(5) describes them.
///
/// Names and PAX values stay bytes, since file names and capability attributes need not be text;
/// that is why no library is used. Documents inside the archive are bounded. Not thread-safe.
public final class TarReader {
  /// Takes a part of an entry's content.
  public interface Sink {
    void accept(byte[] buffer, int offset, int length) throws IOException;
  }

  private static final int BLOCK = 512;
  private static final int BUFFER = 256 * 1024;
  private static final int MAX_EXTENSION = 1 << 20;
  private static final long MAX_ID = 0xfffffffeL;
  private static final String XATTR = "SCHILY.xattr.";

  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER];
  private int position;
  private int limit;
  private long content;
  private long padding;
  private final Map<String, byte[]> global = new HashMap<>();

  public TarReader(InputStream in) {
    this.in = in;
  }

  /// The next entry, whose predecessor's content is skipped; null at the end of the archive.
  ///
  /// @throws PeapodException INVALID if the archive is damaged or uses what is not supported
  public @Nullable TarEntry next() throws IOException {
    Map<String, byte[]> extended = new HashMap<>(global);
    String longName = null;
    String longLink = null;
    while (true) {
      skip(content + padding);
      content = 0;
      padding = 0;
      int at = header();
      if (at < 0) {
        return null;
      }
      char type = (char) (buffer[at + 156] & 0xff);
      long size = number(at + 124, 12);
      switch (type) {
        case 'x' -> records(extension(size), extended);
        case 'g' -> records(extension(size), global);
        case 'L' -> longName = terminated(extension(size));
        case 'K' -> longLink = terminated(extension(size));
        case 'V' -> expect(0);
        default -> {
          return entry(at, type, size, extended, longName, longLink);
        }
      }
    }
  }

  /// Passes the present entry's content on.
  public void content(Sink sink) throws IOException {
    while (content > 0) {
      if (position == limit) {
        fill();
      }
      int part = (int) Math.min(content, limit - position);
      int from = position;
      position += part;
      content -= part;
      sink.accept(buffer, from, part);
    }
  }

  private TarEntry entry(
      int at,
      char type,
      long headerSize,
      Map<String, byte[]> pax,
      @Nullable String longName,
      @Nullable String longLink) {
    for (String key : pax.keySet()) {
      if (key.startsWith("GNU.sparse.")) {
        throw PeapodException.invalid("the archive has a sparse file, which is not supported");
      }
    }
    if (type == 'S') {
      throw PeapodException.invalid("the archive has a sparse file, which is not supported");
    }
    boolean hasPath = pax.containsKey("path");
    String name = hasPath ? value(pax, "path") : longName != null ? longName : shortName(at);
    String link =
        pax.containsKey("linkpath")
            ? value(pax, "linkpath")
            : longLink != null ? longLink : string(at + 157, 100);
    char kind = type == 0 || type == '7' ? '0' : type;
    if (kind == '0' && name.endsWith("/")) {
      kind = '5';
    }
    long size = pax.containsKey("size") ? decimal(pax, "size") : headerSize;
    expect(kind == '0' ? size : 0);
    long uid = pax.containsKey("uid") ? decimal(pax, "uid") : number(at + 108, 8);
    long gid = pax.containsKey("gid") ? decimal(pax, "gid") : number(at + 116, 8);
    if (uid < 0 || uid > MAX_ID || gid < 0 || gid > MAX_ID) {
      throw damaged("an owner is out of range");
    }
    long seconds = number(at + 136, 12);
    int nanos = 0;
    if (pax.containsKey("mtime")) {
      String text = value(pax, "mtime");
      int point = text.indexOf('.');
      seconds = whole(point < 0 ? text : text.substring(0, point));
      nanos = point < 0 ? 0 : nanos(text.substring(point + 1));
      if (nanos > 0 && text.startsWith("-")) {
        seconds--;
        nanos = 1_000_000_000 - nanos;
      }
    }
    int mode = (int) (number(at + 100, 8) & 07777);
    boolean device = kind == '3' || kind == '4';
    return new TarEntry(
        name,
        kind,
        link,
        content,
        device ? (int) number(at + 329, 8) : 0,
        device ? (int) number(at + 337, 8) : 0,
        new FileAttributes(mode, (int) uid, (int) gid, seconds, nanos, xattrs(pax)));
  }

  private static Map<String, byte[]> xattrs(Map<String, byte[]> pax) {
    if (pax.isEmpty()) {
      return Map.of();
    }
    Map<String, byte[]> xattrs = new HashMap<>();
    pax.forEach(
        (key, value) -> {
          if (key.startsWith(XATTR)) {
            xattrs.put(key.substring(XATTR.length()), value);
          }
        });
    return xattrs;
  }

  private String shortName(int at) {
    String name = string(at, 100);
    // GNU archives use the prefix field for other things; theirs is "ustar  ".
    boolean posix = string(at + 257, 6).equals("ustar") && buffer[at + 262] == 0;
    String prefix = posix ? string(at + 345, 155) : "";
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  /// Makes the next header stand in the buffer; answers where, -1 at the end of the archive.
  private int header() throws IOException {
    if (!have(BLOCK)) {
      if (position == limit) {
        return -1;
      }
      throw damaged("it is cut off");
    }
    int at = position;
    position += BLOCK;
    long unsigned = 0;
    long signed = 0;
    boolean empty = true;
    for (int i = 0; i < BLOCK; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : buffer[at + i];
      unsigned += b & 0xff;
      signed += b;
      empty &= buffer[at + i] == 0;
    }
    if (empty) {
      return -1;
    }
    long sum = number(at + 148, 8);
    if (sum != unsigned && sum != signed) {
      throw damaged("a header's checksum is wrong");
    }
    return at;
  }

  private byte[] extension(long size) throws IOException {
    if (size < 0 || size > MAX_EXTENSION) {
      throw damaged("an extended header of " + size + " bytes is too large");
    }
    byte[] bytes = new byte[(int) size];
    expect(size);
    int[] done = {0};
    content(
        (from, offset, length) -> {
          System.arraycopy(from, offset, bytes, done[0], length);
          done[0] += length;
        });
    return bytes;
  }

  private static void records(byte[] bytes, Map<String, byte[]> into) {
    int at = 0;
    while (at < bytes.length) {
      int space = at;
      int length = 0;
      while (space < bytes.length && bytes[space] >= '0' && bytes[space] <= '9' && space - at < 8) {
        length = length * 10 + bytes[space++] - '0';
      }
      int end = at + length;
      int equals = space + 1;
      while (equals < end && equals < bytes.length && bytes[equals] != '=') {
        equals++;
      }
      if (length == 0 || end > bytes.length || bytes[space] != ' ' || equals >= end) {
        throw damaged("an extended header is malformed");
      }
      if (bytes[end - 1] != '\n') {
        throw damaged("an extended header is malformed");
      }
      String key = latin(bytes, space + 1, equals - space - 1);
      byte[] value = Arrays.copyOfRange(bytes, equals + 1, end - 1);
      if (value.length == 0) {
        into.remove(key);
      } else {
        into.put(key, value);
      }
      at = end;
    }
  }

  private void expect(long size) {
    if (size < 0) {
      throw damaged("an entry's size is negative");
    }
    content = size;
    padding = (BLOCK - size % BLOCK) % BLOCK;
  }

  private void skip(long count) throws IOException {
    long left = count;
    while (left > 0) {
      if (position == limit) {
        fill();
      }
      int part = (int) Math.min(left, limit - position);
      position += part;
      left -= part;
    }
  }

  private void fill() throws IOException {
    position = 0;
    limit = 0;
    int n = in.read(buffer, 0, buffer.length);
    if (n < 0) {
      throw damaged("it is cut off");
    }
    limit = n;
  }

  private boolean have(int count) throws IOException {
    if (limit - position < count) {
      System.arraycopy(buffer, position, buffer, 0, limit - position);
      limit -= position;
      position = 0;
      while (limit < count) {
        int n = in.read(buffer, limit, buffer.length - limit);
        if (n < 0) {
          return false;
        }
        limit += n;
      }
    }
    return true;
  }

  private long number(int at, int length) {
    if ((buffer[at] & 0x80) != 0) {
      return binary(at, length);
    }
    long value = 0;
    boolean started = false;
    for (int i = at; i < at + length; i++) {
      int c = buffer[i];
      if (c >= '0' && c <= '7') {
        value = value * 8 + c - '0';
        started = true;
      } else if (c == 0 || c == ' ') {
        if (started) {
          break;
        }
      } else {
        throw damaged("a number in a header is malformed");
      }
    }
    return value;
  }

  private long binary(int at, int length) {
    boolean negative = (buffer[at] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = at; i < at + length; i++) {
      int b = buffer[i] & 0xff;
      if (i == at) {
        b = negative ? b | 0x80 : b & 0x7f;
      }
      if (i < at + length - 8 && b != (negative ? 0xff : 0)) {
        throw damaged("a number in a header is too large");
      }
      value = (value << 8) | b;
    }
    return value;
  }

  private String string(int at, int length) {
    int end = at;
    while (end < at + length && buffer[end] != 0) {
      end++;
    }
    return latin(buffer, at, end - at);
  }

  private static String terminated(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return latin(bytes, 0, end);
  }

  private static String value(Map<String, byte[]> pax, String key) {
    byte[] value = pax.getOrDefault(key, new byte[0]);
    return latin(value, 0, value.length);
  }

  private static long decimal(Map<String, byte[]> pax, String key) {
    return whole(value(pax, key));
  }

  private static long whole(String text) {
    try {
      return text.isEmpty() || text.equals("-") ? 0 : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw damaged("a number in an extended header is malformed");
    }
  }

  private static int nanos(String fraction) {
    String nine = (fraction + "000000000").substring(0, 9);
    return (int) Math.max(0, whole(nine));
  }

  private static String latin(byte[] bytes, int offset, int length) {
    return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
  }

  private static PeapodException damaged(String why) {
    return PeapodException.invalid("the tar archive is damaged: " + why);
  }
}
