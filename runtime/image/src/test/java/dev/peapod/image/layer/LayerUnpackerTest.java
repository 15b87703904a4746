package dev.peapod.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Digest;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.HostTree;
import dev.peapod.image.testing.TarBuilder;
import dev.peapod.linux.Directory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Archives in, directories out; hostile ones beside a tree that must not change.
class LayerUnpackerTest {
  @TempDir Path temp;
  private HostTree host;
  private Path layer;

  @BeforeEach
  void makeHost() throws IOException {
    Commands.requireRoot();
    host = HostTree.make(temp.resolve("host"));
    layer = Files.createDirectory(host.path("layer"));
  }

  private LayerUnpacker.Unpacked unpack(TarBuilder tar) {
    return unpack(tar.bytes(), tar.bytes());
  }

  private LayerUnpacker.Unpacked unpack(byte[] blob, byte[] tar) {
    return unpack(blob, Digest.of(blob), Digest.of(tar), layer);
  }

  private static LayerUnpacker.Unpacked unpack(
      byte[] blob, Digest blobDigest, Digest diffId, Path directory) {
    try (LayerBlob source =
        new LayerBlob(
            new ByteArrayInputStream(blob),
            "layer x",
            Optional.of(blobDigest),
            blob.length,
            count -> {})) {
      return LayerUnpacker.unpack(source, "layer x", diffId, directory);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Object attribute(String path, String name) throws IOException {
    return Files.getAttribute(layer.resolve(path), "unix:" + name, LinkOption.NOFOLLOW_LINKS);
  }

  private int mode(String path) throws IOException {
    return (int) attribute(path, "mode");
  }

  @Test
  void unpacksEveryKindOfFile() throws IOException {
    LayerUnpacker.Unpacked unpacked =
        unpack(
            new TarBuilder()
                .directory("./", 0711)
                .directory("bin/", 0755)
                .file("bin/su", 04755, "su")
                .hardlink("bin/su2", "bin/su")
                .symlink("sh", "/bin/su")
                .owner(1000, 70_000)
                .mtime(1_234_567_890)
                .file("owned", 02640, "mine")
                .directory("shared", 03777)
                .symlink("owned-link", "nowhere")
                .node("fifo", '6', 0600, 0, 0)
                .node("null", '3', 0666, 1, 3)
                .node("disk", '4', 0660, 259, 70_000));
    assertThat(mode("")).isEqualTo(0040711);
    assertThat(mode("bin/su")).isEqualTo(0104755);
    assertThat(attribute("bin/su", "ino")).isEqualTo(attribute("bin/su2", "ino"));
    assertThat(attribute("bin/su", "nlink")).isEqualTo(2);
    assertThat(Files.readSymbolicLink(layer.resolve("sh"))).hasToString("/bin/su");
    assertThat(mode("owned")).isEqualTo(0102640);
    assertThat(attribute("owned", "uid")).isEqualTo(1000);
    assertThat(attribute("owned", "gid")).isEqualTo(70_000);
    assertThat(attribute("owned", "lastModifiedTime")).hasToString("2009-02-13T23:31:30Z");
    assertThat(mode("shared")).isEqualTo(0043777);
    assertThat(attribute("shared", "gid")).isEqualTo(70_000);
    assertThat(attribute("shared", "lastModifiedTime")).hasToString("2009-02-13T23:31:30Z");
    assertThat(attribute("owned-link", "uid")).isEqualTo(1000);
    assertThat(attribute("owned-link", "lastModifiedTime")).hasToString("2009-02-13T23:31:30Z");
    assertThat(mode("fifo")).isEqualTo(0010600);
    assertThat(mode("null")).isEqualTo(0020666);
    assertThat(attribute("null", "rdev")).isEqualTo(0x103L);
    assertThat(mode("disk")).isEqualTo(0060660);
    assertThat(attribute("disk", "rdev")).isEqualTo(device(259, 70_000));
    assertThat(unpacked.bytes()).isEqualTo(6);
    assertThat(unpacked.unsaid()).isEmpty();
  }

  private static long device(long major, long minor) {
    return (minor & 0xff) | major << 8 | (minor & ~0xffL) << 12;
  }

  @Test
  void makesWhiteoutsForOverlay() throws IOException {
    unpack(
        new TarBuilder()
            .directory("d/", 0755)
            .file("d/.wh.gone", 0, "")
            .file("o/.wh..wh..opq", 0, "")
            .file("o/new", 0644, "new")
            .directory("both/", 0755)
            .file(".wh.both", 0, "")
            .file(".wh.again", 0, "")
            .directory("again/", 0755)
            .file(".wh.file", 0, "")
            .file("file", 0644, "here")
            .file(".wh..wh.plnk", 0, ""));
    assertThat(mode("d/gone") & 0170000).isEqualTo(0020000);
    assertThat(attribute("d/gone", "rdev")).isEqualTo(0L);
    try (Directory directory = Directory.open(layer)) {
      for (String opaque : new String[] {"o", "both", "again"}) {
        assertThat(directory.getXattr(opaque, "trusted.overlay.opaque"))
            .as(opaque)
            .hasValue(new byte[] {'y'});
      }
      assertThat(directory.getXattr("d", "trusted.overlay.opaque")).isEmpty();
    }
    assertThat(layer.resolve("o/new")).hasContent("new");
    assertThat(layer.resolve("file")).hasContent("here");
    assertThat(layer.resolve(".wh..wh.plnk")).doesNotExist();
    assertThat(layer.resolve(".wh.both")).doesNotExist();
  }

  @Test
  void keepsCapabilitiesAndUserAttributesAlone() {
    // VFS_CAP_REVISION_2 with bits above 127, which are no valid text.
    String capability = "\1\0\0\2\200\4\0\0\0\0\0\0\377\0\0\0\0\0\0\0";
    unpack(
        new TarBuilder()
            .pax(
                "SCHILY.xattr.security.capability", capability,
                "SCHILY.xattr.user.note", "n\n=",
                "SCHILY.xattr.trusted.overlay.redirect", "/etc",
                "SCHILY.xattr.security.selinux", "x")
            .file("ping", 0755, "ping")
            .pax("SCHILY.xattr.trusted.overlay.opaque", "y")
            .directory("dir", 0755));
    try (Directory directory = Directory.open(layer)) {
      assertThat(directory.getXattr("ping", "security.capability"))
          .hasValue(capability.getBytes(StandardCharsets.ISO_8859_1));
      assertThat(directory.getXattr("ping", "user.note")).hasValue(new byte[] {'n', '\n', '='});
      assertThat(directory.listXattrs("ping"))
          .containsExactlyInAnyOrder("security.capability", "user.note");
      assertThat(directory.listXattrs("dir")).isEmpty();
    }
  }

  @Test
  void takesLongAndUnusualNames() throws IOException, InterruptedException {
    String deep = "a/".repeat(80) + "f".repeat(200);
    String long100 = "l".repeat(150);
    unpack(
        new TarBuilder()
            .pax("path", deep, "mtime", "1700000000.25", "uid", "4294967294", "size", "3")
            .file("short", 0644, "pax")
            .gnuLong('L', long100)
            .gnuLong('K', "t".repeat(300))
            .symlink("short", "short")
            .file("latin-\344", 0644, "bytes")
            .file("new\nline", 0644, "x"));
    assertThat(layer.resolve(deep)).hasContent("pax");
    assertThat(attribute(deep, "uid")).isEqualTo(-2);
    assertThat(attribute(deep, "lastModifiedTime")).hasToString("2023-11-14T22:13:20.25Z");
    assertThat(Files.readSymbolicLink(layer.resolve(long100))).hasToString("t".repeat(300));
    assertThat(Commands.run("ls", "-b", layer.toString())).contains("latin-\\344", "new\\nline");
  }

  @Test
  void unpacksWhatGnuTarWrites() throws Exception {
    Commands.require("tar", "diff");
    Path source = Files.createDirectory(temp.resolve("source"));
    Random random = new Random(1);
    for (int i = 0; i < 300; i++) {
      Path directory = Files.createDirectories(source.resolve("d" + i % 7 + "/e" + i % 3));
      byte[] content = new byte[random.nextInt(i % 50 == 0 ? 2_000_000 : 3000)];
      random.nextBytes(content);
      Files.write(directory.resolve("file-" + i), content);
    }
    for (String format : new String[] {"gnu", "pax", "ustar", "v7"}) {
      Path archive = temp.resolve(format + ".tar.gz");
      Commands.run(
          "tar", "--format=" + format, "-C", source.toString(), "-czf", archive.toString(), ".");
      byte[] blob = Files.readAllBytes(archive);
      byte[] tar = new GunzipStream(new ByteArrayInputStream(blob)).readAllBytes();
      Path into = Files.createDirectory(temp.resolve("into-" + format));
      unpack(blob, Digest.of(blob), Digest.of(tar), into);
      assertThat(Commands.run("diff", "-r", source.toString(), into.toString())).isEmpty();
      assertThat(times(into)).isEqualTo(times(source));
    }
  }

  private static String times(Path root) throws Exception {
    return Commands.run(
        "sh",
        "-c",
        "cd \"$0\" && find . -printf '%P %m %U %G %Ts %s\\n' | sed 's/ 4096$//' | sort",
        root.toString());
  }

  @Test
  void readsEveryCompression() throws IOException {
    TarBuilder tar = new TarBuilder().file("a", 0644, "a".repeat(100_000)).file("b", 0644, "b");
    byte[] plain = tar.bytes();
    byte[] head = Arrays.copyOfRange(plain, 0, 70_000);
    byte[] tail = Arrays.copyOfRange(plain, 70_000, plain.length);
    Map<String, byte[]> blobs =
        Map.of(
            "plain", plain,
            "gzip", TarBuilder.gzip(plain),
            "members",
                join(TarBuilder.gzip(head), TarBuilder.gzip(tail), TarBuilder.gzip(new byte[0])),
            "padded", join(TarBuilder.gzip(plain), new byte[700]),
            "zstd", Zstd.compress(plain),
            "frames", join(Zstd.compress(head), Zstd.compress(tail)),
            "skippable",
                join(new byte[] {0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9}, Zstd.compress(plain)));
    for (Map.Entry<String, byte[]> blob : blobs.entrySet()) {
      Path into = Files.createDirectory(temp.resolve(blob.getKey()));
      unpack(blob.getValue(), Digest.of(blob.getValue()), Digest.of(plain), into);
      assertThat(into.resolve("a")).as(blob.getKey()).hasSize(100_000);
      assertThat(into.resolve("b")).as(blob.getKey()).hasContent("b");
    }
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  @Test
  void letsTheLastOfTwoWin() throws IOException {
    unpack(
        new TarBuilder()
            .file("f", 0644, "first")
            .file("f", 0600, "second")
            .directory("d", 0755)
            .file("d/x/y", 0644, "x")
            .symlink("d", "elsewhere")
            .symlink("s", "/etc")
            .directory("s", 0700)
            .file("s/passwd", 0644, "inside")
            .file("h1", 0644, "h")
            .hardlink("h2", "h1")
            .hardlink("h2", "h1")
            .hardlink("h1", "h1"));
    assertThat(layer.resolve("f")).hasContent("second");
    assertThat(Files.readSymbolicLink(layer.resolve("d"))).hasToString("elsewhere");
    assertThat(layer.resolve("s")).isDirectory();
    assertThat(layer.resolve("s/passwd")).hasContent("inside");
    assertThat(layer.resolve("h1")).hasContent("h");
    assertThat(attribute("h2", "nlink")).isEqualTo(2);
  }

  @Test
  void followsLinksInsideTheLayer() {
    unpack(
        new TarBuilder()
            .directory("usr/lib/", 0755)
            .symlink("lib", "usr/lib")
            .file("lib/a", 0644, "a")
            .symlink("run", "/var/run")
            .file("run/b", 0644, "b"));
    assertThat(layer.resolve("usr/lib/a")).hasContent("a");
    assertThat(layer.resolve("var/run/b")).hasContent("b");
  }

  static Stream<Arguments> contained() {
    return Stream.of(
        Arguments.of("absolute", new TarBuilder().file("/victim", 0644, "x"), "victim"),
        Arguments.of(
            "link out", new TarBuilder().symlink("o", "../").file("o/victim", 0644, "x"), "victim"),
        Arguments.of(
            "absolute link",
            new TarBuilder().symlink("o", "/HOST").file("o/victim", 0644, "x"),
            ""),
        Arguments.of(
            "link to a file",
            new TarBuilder().symlink("passwd", "../etc/passwd").file("passwd", 0666, "x"),
            "passwd"),
        Arguments.of(
            "links in a row",
            new TarBuilder()
                .symlink("a", "..")
                .symlink("a/b", "..")
                .symlink("b/c", "../../../../HOST")
                .file("b/c/victim", 0644, "x"),
            ""),
        Arguments.of(
            "directory over a link",
            new TarBuilder()
                .symlink("etc", "../etc")
                .directory("etc", 0777)
                .file("etc/passwd", 0, "x"),
            "etc/passwd"),
        Arguments.of(
            "swapped parent",
            new TarBuilder()
                .directory("d", 0755)
                .file("d/a", 0644, "x")
                .symlink("d", "../etc")
                .file("d/passwd", 0644, "x"),
            "etc/passwd"),
        Arguments.of("dots", new TarBuilder().file("a/../victim", 0644, "x"), "victim"),
        Arguments.of(
            "whiteout", new TarBuilder().symlink("o", "..").file("o/.wh.victim", 0, ""), ""),
        Arguments.of(
            "opaque", new TarBuilder().symlink("o", "../etc").file("o/.wh..wh..opq", 0, ""), ""),
        Arguments.of(
            "attributes through a link",
            new TarBuilder().owner(5, 5).symlink("o", "../victim").node("o2", '6', 0777, 0, 0),
            "o2"),
        Arguments.of(
            "hard link to a link",
            new TarBuilder()
                .symlink("o", "../victim")
                .hardlink("h", "o")
                .owner(5, 5)
                .file("h", 0, "x"),
            "h"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void contained(String name, TarBuilder tar, String inside) throws IOException {
    Map<String, String> before = host.state(layer);
    unpack(rooted(tar));
    assertThat(host.state(layer)).isEqualTo(before);
    if (!inside.isEmpty()) {
      assertThat(Files.exists(layer.resolve(inside), LinkOption.NOFOLLOW_LINKS)).isTrue();
    }
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            "dots", new TarBuilder().file("../victim", 0644, "x"), "leads out of the layer"),
        Arguments.of("more dots", new TarBuilder().file("a/../../victim", 0, "x"), "leads out"),
        Arguments.of(
            "hard link out", new TarBuilder().hardlink("v", "../victim"), "leads out of the layer"),
        Arguments.of(
            "hard link to the host",
            new TarBuilder().hardlink("v", "/HOST/victim"),
            "No such file"),
        Arguments.of(
            "hard link through a link",
            new TarBuilder().symlink("o", "..").hardlink("v", "o/victim"),
            "No such file"),
        Arguments.of("whiteout of ..", new TarBuilder().file("a/.wh...", 0, ""), "hides no file"),
        Arguments.of("whiteout of .", new TarBuilder().file("a/.wh..", 0, ""), "hides no file"),
        Arguments.of("whiteout of nothing", new TarBuilder().file(".wh.", 0, ""), "hides no file"),
        Arguments.of(
            "below a file",
            new TarBuilder().file("f", 0, "").file("f/g", 0, ""),
            "Not a directory"),
        Arguments.of(
            "a loop of links",
            new TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x", 0, ""),
            "symbolic links"),
        Arguments.of(
            "too long a name",
            new TarBuilder().gnuLong('L', "n".repeat(300)).file("x", 0, ""),
            "too long"),
        Arguments.of(
            "too deep a path",
            new TarBuilder().gnuLong('L', "n/".repeat(3000) + "x").file("x", 0, ""),
            "too long"),
        Arguments.of(
            "a NUL", new TarBuilder().pax("path", "a\0b").file("x", 0, ""), "Invalid argument"),
        Arguments.of(
            "sparse", new TarBuilder().entry("s", 'S', 0, "", new byte[0], 0, 0), "sparse"),
        Arguments.of(
            "sparse by PAX",
            new TarBuilder().pax("GNU.sparse.major", "1").file("s", 0, "x"),
            "sparse"),
        Arguments.of(
            "unknown type",
            new TarBuilder().entry("s", 'Z', 0, "", new byte[0], 0, 0),
            "unknown type"),
        Arguments.of("a file as root", new TarBuilder().file(".", 0, "x"), "is the root"),
        Arguments.of(
            "a huge extended header",
            new TarBuilder().entry("x", 'x', 0, "", new byte[2 << 20], 0, 0),
            "too large"),
        Arguments.of(
            "a malformed extended header",
            new TarBuilder()
                .entry("x", 'x', 0, "", "99 path=x\n".getBytes(StandardCharsets.US_ASCII), 0, 0),
            "malformed"),
        Arguments.of(
            "a negative size", new TarBuilder().pax("size", "-5").file("x", 0, ""), "negative"),
        Arguments.of(
            "an owner out of range",
            new TarBuilder().pax("uid", "4294967296").file("x", 0, ""),
            "out of range"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refused(String name, TarBuilder tar, String said) throws IOException {
    Map<String, String> before = host.state(layer);
    assertThatThrownBy(() -> unpack(rooted(tar)))
        .isInstanceOf(PeapodException.class)
        .hasMessageStartingWith("layer x")
        .hasMessageContaining(said)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(Kind.INVALID));
    assertThat(host.state(layer)).isEqualTo(before);
  }

  /// The archive with `/HOST` in link names replaced by the path of the host tree.
  private TarBuilder rooted(TarBuilder tar) {
    return tar.replacing("/HOST", host.path("").toString());
  }

  @Test
  void manyParentsCostNoDescriptors() {
    TarBuilder tar = new TarBuilder();
    for (int i = 0; i < 500; i++) {
      tar.file("d" + i + "/f", 0644, "x");
    }
    for (int i = 0; i < 500; i++) {
      tar.hardlink("d" + i + "/g", "d" + (499 - i) + "/f");
    }
    int before = descriptors();
    assertThat(unpack(tar).unsaid()).hasSize(501);
    assertThat(descriptors()).isLessThanOrEqualTo(before);
  }

  private static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }

  @Test
  void verifiesBothDigests() {
    TarBuilder tar = new TarBuilder().file("f", 0644, "content");
    byte[] blob = tar.gzip();
    Digest other = Digest.of(new byte[0]);
    assertWrong(
        () -> unpack(blob, other, Digest.of(tar.bytes()), layer), "does not have that digest");
    assertWrong(() -> unpack(blob, Digest.of(blob), other, layer), "image's configuration says");
  }

  @Test
  void blamesTheDigestForDamage() {
    TarBuilder tar = new TarBuilder().file("f", 0644, "content".repeat(1000));
    byte[] good = tar.gzip();
    byte[] bad = good.clone();
    bad[good.length / 2] ^= 0x55;
    bad[20] ^= 0x55;
    assertWrong(() -> unpack(bad, Digest.of(good), Digest.of(tar.bytes()), layer), "that digest");
    byte[] cut = Arrays.copyOf(good, good.length - 20);
    assertThatThrownBy(() -> unpack(cut, Digest.of(cut), Digest.of(tar.bytes()), layer))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("cut off");
  }

  @Test
  void refusesABlobOfAnotherSize() {
    byte[] tar = new TarBuilder().file("f", 0644, "content").bytes();
    for (long size : new long[] {tar.length - 1, tar.length + 1}) {
      LayerBlob blob =
          new LayerBlob(
              new ByteArrayInputStream(tar), "layer x", Optional.of(Digest.of(tar)), size, n -> {});
      assertWrong(
          () -> {
            try {
              LayerUnpacker.unpack(blob, "layer x", Digest.of(tar), layer);
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          },
          "manifest says");
    }
  }

  private static void assertWrong(Runnable work, String said) {
    assertThatThrownBy(work::run)
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said)
        .satisfies(
            e -> assertThat(((PeapodException) e).kind()).isEqualTo(Kind.FAILED_PRECONDITION));
  }
}
