package dev.peapod.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.engine.container.Restoration.Mounted;
import dev.peapod.error.PeapodException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What images of mounts may say.
class MountImagesTest {
  private static final int RDONLY = 1;
  private static final int CLOSED = 2 | 4 | 8;
  private static final int PROC = 1;
  private static final int TMPFS = 5;
  private static final int OVERLAY = 17;
  private static final Map<String, Mounted> MOUNTS =
      Map.of("/dev", new Mounted("/m/0", 2), "/data", new Mounted("/m/1", RDONLY));
  private static final List<String> READONLY = List.of("/proc/sys");

  @TempDir Path images;

  private static void varint(ByteArrayOutputStream to, long value) {
    long left = value;
    for (; left >= 0x80; left >>>= 7) {
      to.write((int) (left & 0x7f | 0x80));
    }
    to.write((int) left);
  }

  private static void number(ByteArrayOutputStream to, int field, long value) {
    varint(to, field << 3);
    varint(to, value);
  }

  private static void text(ByteArrayOutputStream to, int field, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    varint(to, field << 3 | 2);
    varint(to, bytes.length);
    to.writeBytes(bytes);
  }

  private static byte[] entry(int type, int flags, String root, String path, String external) {
    ByteArrayOutputStream entry = new ByteArrayOutputStream();
    number(entry, 1, type);
    number(entry, 2, 7);
    number(entry, 5, flags);
    text(entry, 6, root);
    text(entry, 7, path);
    if (!external.isEmpty()) {
      text(entry, 18, external);
    }
    return entry.toByteArray();
  }

  /// Those of a container that fits.
  private static List<byte[]> fitting() {
    return new ArrayList<>(
        List.of(
            entry(PROC, CLOSED | RDONLY, "/sys", "/proc/sys", ""),
            entry(PROC, CLOSED, "/", "/proc", ""),
            entry(TMPFS, 2, "/", "/dev", "/dev"),
            entry(TMPFS, RDONLY, "/some", "/data", "/data"),
            entry(OVERLAY, 0, "/", "/", "")));
  }

  private void write(String name, List<byte[]> entries) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(word(0x54564319));
    all.writeBytes(word(0x55563928));
    for (byte[] entry : entries) {
      all.writeBytes(word(entry.length));
      all.writeBytes(entry);
    }
    Files.write(images.resolve(name), all.toByteArray());
  }

  private static byte[] word(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private void check() throws IOException {
    MountImages.check(images, MOUNTS, READONLY, false);
  }

  private void refuses(List<byte[]> entries, String why) throws IOException {
    write("mountpoints-1.img", entries);
    assertThatThrownBy(this::check)
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(why);
  }

  @Test
  void takesWhatTheRequestMakes() throws IOException {
    write("mountpoints-1.img", fitting());
    assertThatCode(this::check).doesNotThrowAnyException();
  }

  @Test
  void refusesWhatItDoesNotMake() throws IOException {
    List<byte[]> more = fitting();
    more.add(entry(OVERLAY, 0, "/", "/host", ""));
    refuses(more, "\"/host\" does not fit the request: the request has none there");
    more.set(5, entry(TMPFS, 0, "/", "/host", "/data"));
    refuses(more, "\"/host\"");
    more.set(5, entry(TMPFS, CLOSED, "/", "/proc/x", ""));
    refuses(more, "it is not what procfs has there");
    more.set(5, entry(PROC, CLOSED, "/y", "/proc/x", ""));
    refuses(more, "it is not what procfs has there");
    more.set(5, entry(PROC, CLOSED, "/x", "/proc/x", "/data"));
    refuses(more, "it is not what procfs has there");
    more.set(5, entry(TMPFS, 2, "/", "/dev", "/dev"));
    refuses(more, "there are two");
  }

  @Test
  void refusesWhatIsOtherwise() throws IOException {
    for (int i = 0; i < 5; i++) {
      if (i != 1) {
        List<byte[]> fewer = fitting();
        fewer.remove(i);
        refuses(fewer, "the checkpoint has none");
      }
    }
    List<byte[]> other = fitting();
    other.set(2, entry(TMPFS, 2, "/", "/dev", ""));
    refuses(other, "it is not external");
    other.set(2, entry(TMPFS, 2, "/", "/dev", "/data"));
    refuses(other, "it is not external");
    other = fitting();
    other.set(3, entry(TMPFS, 0, "/some", "/data", "/data"));
    refuses(other, "it lacks options");
    other = fitting();
    other.set(0, entry(PROC, CLOSED, "/sys", "/proc/sys", ""));
    refuses(other, "it lacks options");
  }

  @Test
  void refusesWhatIsNoSuchImage() throws IOException {
    assertThatThrownBy(this::check).hasMessageContaining("has 0 mount namespaces");
    ByteArrayOutputStream shared = new ByteArrayOutputStream();
    shared.writeBytes(entry(TMPFS, 2, "/", "/dev", "/dev"));
    number(shared, 11, 3);
    refuses(List.of(shared.toByteArray()), "mounts that others share");
    ByteArrayOutputStream unknown = new ByteArrayOutputStream();
    number(unknown, 12, 1);
    refuses(List.of(unknown.toByteArray()), "damaged");
    refuses(List.of(new byte[] {(byte) 0xff}), "damaged");
    refuses(List.of(new byte[] {0x3a, 0x7f, 'x'}), "damaged");
    write("mountpoints-1.img", fitting());
    byte[] whole = Files.readAllBytes(images.resolve("mountpoints-1.img"));
    for (int length = 0; length < whole.length; length++) {
      Files.write(images.resolve("mountpoints-1.img"), Arrays.copyOf(whole, length));
      assertThatThrownBy(this::check).isInstanceOf(PeapodException.class);
    }
    write("mountpoints-1.img", fitting());
    write("mountpoints-2.img", fitting());
    assertThatThrownBy(this::check).hasMessageContaining("has 2 mount namespaces");
  }
}
