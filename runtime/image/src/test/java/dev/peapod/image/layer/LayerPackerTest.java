package dev.peapod.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Digest;
import dev.peapod.image.testing.Commands;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.FileAttributes;
import dev.peapod.linux.TreeReader;
import dev.peapod.linux.TreeWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an overlay wrote is packed, and unpacked again: it must be the same.
class LayerPackerTest {
  private static final String LONG = "d".repeat(200) + "/" + "n".repeat(200);
  private static final String BYTES = "caf\u00e9-\u00ff";

  @TempDir Path temp;
  private Path upper;

  @BeforeEach
  void makeTheUpper() throws IOException {
    Commands.requireRoot();
    upper = Files.createDirectory(temp.resolve("upper"));
  }

  private static FileAttributes attributes(int mode, int uid, Map<String, byte[]> xattrs) {
    return new FileAttributes(mode, uid, 7, 1_700_000_000, 123_456_789, xattrs);
  }

  private static void file(TreeWriter tree, String path, String content, FileAttributes attributes) {
    tree.beginFile(path, attributes.mode());
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    tree.write(bytes, 0, bytes.length);
    tree.endFile(attributes);
  }

  private void fill() {
    try (TreeWriter tree = TreeWriter.open(upper)) {
      byte[] binary = {0, '\n', '=', (byte) 0xff};
      tree.directory("", attributes(0751, 5, Map.of()));
      file(tree, "file", "hello", attributes(04755, 3_000_000, Map.of("user.x", binary)));
      tree.hardlink("same", "file");
      file(tree, LONG, "x".repeat(1000), attributes(0600, 0, Map.of()));
      file(tree, BYTES, "", attributes(0644, 0, Map.of()));
      tree.symlink("link", "t".repeat(300), attributes(0777, 1, Map.of()));
      tree.node("fifo", 0x1000, 0, 0, attributes(0640, 2, Map.of()));
      tree.node("null", 0x2000, 1, 3, attributes(0666, 0, Map.of()));
      tree.whiteout("gone");
      tree.directory("anew", attributes(0700, 0, Map.of()));
      tree.opaque("anew");
      file(tree, "anew/inside", "y", attributes(0644, 0, Map.of()));
      tree.finish();
    }
  }

  private static byte[] pack(Path directory) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarWriter tar = new TarWriter(bytes)) {
      LayerPacker.pack(directory, tar);
    }
    return bytes.toByteArray();
  }

  /// All that can be seen of a tree, by its paths.
  private static Map<String, String> seen(Path directory) throws IOException {
    Map<String, String> all = new TreeMap<>();
    TreeReader.read(
        directory,
        found -> {
          FileAttributes a = found.attributes();
          Map<String, String> xattrs = new TreeMap<>();
          a.xattrs().forEach((name, value) -> xattrs.put(name, Arrays.toString(value)));
          byte[] content =
              found.content().isEmpty()
                  ? new byte[0]
                  : FdIo.readAll(found.content().get(), 1 << 20);
          boolean whiteout = (found.stat().mode() & 0xf000) == 0x2000 && found.stat().special() == 0;
          all.put(
              found.path(),
              whiteout
                  ? "whiteout"
                  : "%o %d %d %d.%d %d %d %s %s %s"
                      .formatted(
                          found.stat().mode(),
                          a.uid(),
                          a.gid(),
                          a.mtimeSeconds(),
                          a.mtimeNanos(),
                          found.stat().special(),
                          found.stat().isDirectory() ? 0 : found.stat().links(),
                          found.target(),
                          new String(content, StandardCharsets.UTF_8),
                          xattrs));
        });
    return all;
  }

  @Test
  void whatIsPackedIsUnpackedAsItWas() throws IOException {
    fill();
    byte[] tar = pack(upper);
    Path copy = Files.createDirectory(temp.resolve("copy"));
    try (LayerBlob blob =
        new LayerBlob(new ByteArrayInputStream(tar), "copy", Optional.empty(), -1, count -> {})) {
      LayerUnpacker.unpack(blob, "copy", Digest.of(tar), copy);
    }
    Map<String, String> seen = seen(copy);
    assertThat(seen).isEqualTo(seen(upper));
    assertThat(seen).containsKeys(LONG, BYTES).containsEntry("gone", "whiteout");
    assertThat(seen.get("anew")).contains("trusted.overlay.opaque");
  }

  @Test
  void aMarkersNameIsRefused() throws IOException {
    Files.createFile(upper.resolve(".wh.file"));
    assertThatThrownBy(() -> pack(upper))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("\".wh.file\"");
  }

  @Test
  void aFileThatShrinksIsFilledUp() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarWriter tar = new TarWriter(bytes)) {
      TarEntry entry = new TarEntry("f", '0', "", 700, 0, 0, attributes(0600, 0, Map.of()));
      tar.add(entry, new ByteArrayInputStream(new byte[] {'a'}));
      tar.add(entry, new ByteArrayInputStream(new byte[900]));
    }
    TarReader reader = new TarReader(new ByteArrayInputStream(bytes.toByteArray()));
    for (byte first : new byte[] {'a', 0}) {
      assertThat(reader.next()).isNotNull();
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      reader.content(content::write);
      assertThat(content.toByteArray()).hasSize(700);
      assertThat(content.toByteArray()[0]).isEqualTo(first);
    }
    assertThat(reader.next()).isNull();
  }
}
