package dev.peapod.image.layer;

import dev.peapod.linux.FileAttributes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/// Writes tar archives as [TarReader] reads them: ustar, with PAX records for what does not fit. Not thread-safe.
public final class TarWriter implements AutoCloseable {
  private static final int BLOCK = 512;
  private static final int SHORT = 100;
  private static final long MAX_OCTAL_ID = 07777777;
  private static final long MAX_OCTAL = 077777777777L;
  private static final String PAX_NAME = "PaxHeaders/x";

  private final OutputStream out;
  private final byte[] chunk = new byte[256 * 1024];

  /// @param out closed with this
  public TarWriter(OutputStream out) {
    this.out = out;
  }

  /// Adds an entry without content.
  public void add(TarEntry entry) throws IOException {
    add(entry, InputStream.nullInputStream());
  }

  /// Adds an entry. Content that is longer than the entry says is cut off, and one that ends before is filled up with
  /// zeros: files may change while they are read.
  public void add(TarEntry entry, InputStream content) throws IOException {
    byte[] records = records(entry);
    if (records.length > 0) {
      FileAttributes none = new FileAttributes(0644, 0, 0, 0, 0, Map.of());
      header(new TarEntry(PAX_NAME, 'x', "", records.length, 0, 0, none));
      out.write(records);
      pad(records.length);
    }
    header(entry);
    for (long left = entry.size(); left > 0; ) {
      int most = (int) Math.min(left, chunk.length);
      int n = content.read(chunk, 0, most);
      if (n < 0) {
        Arrays.fill(chunk, 0, most, (byte) 0);
        n = most;
      }
      out.write(chunk, 0, n);
      left -= n;
    }
    pad(entry.size());
  }

  /// Ends the archive and closes the stream.
  @Override
  public void close() throws IOException {
    try (out) {
      out.write(new byte[2 * BLOCK]);
    }
  }

  private static byte[] records(TarEntry entry) {
    FileAttributes attributes = entry.attributes();
    Map<String, byte[]> records = new TreeMap<>();
    if (entry.name().length() > SHORT) {
      records.put("path", latin(entry.name()));
    }
    if (entry.linkName().length() > SHORT) {
      records.put("linkpath", latin(entry.linkName()));
    }
    if (entry.size() > MAX_OCTAL) {
      records.put("size", latin(Long.toString(entry.size())));
    }
    if (Integer.toUnsignedLong(attributes.uid()) > MAX_OCTAL_ID) {
      records.put("uid", latin(Integer.toUnsignedString(attributes.uid())));
    }
    if (Integer.toUnsignedLong(attributes.gid()) > MAX_OCTAL_ID) {
      records.put("gid", latin(Integer.toUnsignedString(attributes.gid())));
    }
    long seconds = attributes.mtimeSeconds();
    if (seconds < 0 || seconds > MAX_OCTAL) {
      records.put("mtime", latin(Long.toString(seconds)));
    } else if (attributes.mtimeNanos() != 0) {
      records.put("mtime", latin("%d.%09d".formatted(seconds, attributes.mtimeNanos())));
    }
    attributes.xattrs().forEach((name, value) -> records.put("SCHILY.xattr." + name, value));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    records.forEach((key, value) -> record(bytes, latin(key), value));
    return bytes.toByteArray();
  }

  /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
  private static void record(ByteArrayOutputStream to, byte[] key, byte[] value) {
    int rest = key.length + value.length + 3;
    int length = rest + Integer.toString(rest).length();
    length = rest + Integer.toString(length).length();
    to.writeBytes(latin(Integer.toString(length)));
    to.write(' ');
    to.writeBytes(key);
    to.write('=');
    to.writeBytes(value);
    to.write('\n');
  }

  private void header(TarEntry entry) throws IOException {
    FileAttributes attributes = entry.attributes();
    byte[] block = new byte[BLOCK];
    text(block, 0, entry.name());
    octal(block, 100, 8, attributes.mode());
    octal(block, 108, 8, Math.min(Integer.toUnsignedLong(attributes.uid()), MAX_OCTAL_ID));
    octal(block, 116, 8, Math.min(Integer.toUnsignedLong(attributes.gid()), MAX_OCTAL_ID));
    octal(block, 124, 12, Math.min(entry.size(), MAX_OCTAL));
    octal(block, 136, 12, Math.clamp(attributes.mtimeSeconds(), 0, MAX_OCTAL));
    block[156] = (byte) entry.type();
    text(block, 157, entry.linkName());
    text(block, 257, "ustar");
    block[263] = '0';
    block[264] = '0';
    octal(block, 329, 8, entry.major());
    octal(block, 337, 8, entry.minor());
    int sum = 8 * ' ';
    for (byte b : block) {
      sum += b & 0xff;
    }
    octal(block, 148, 7, sum);
    block[155] = ' ';
    out.write(block);
  }

  private void pad(long size) throws IOException {
    out.write(new byte[(int) ((BLOCK - size % BLOCK) % BLOCK)]);
  }

  private static void text(byte[] block, int at, String text) {
    byte[] bytes = latin(text);
    System.arraycopy(bytes, 0, block, at, Math.min(bytes.length, SHORT));
  }

  private static void octal(byte[] block, int at, int length, long value) {
    long left = value;
    for (int i = at + length - 2; i >= at; i--) {
      block[i] = (byte) ('0' + (left & 7));
      left >>= 3;
    }
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
