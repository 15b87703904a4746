package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.HostTree;
import dev.peapod.image.testing.LayoutBuilder;
import dev.peapod.image.testing.LayoutBuilder.Layer;
import dev.peapod.image.testing.LayoutBuilder.Made;
import dev.peapod.image.testing.TarBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Archives of images, those of skopeo and hand-made ones.
class ArchiveTest {
  @TempDir Path temp;
  private ImageStore store;
  private final LayoutBuilder builder = new LayoutBuilder();
  private Made made;

  @BeforeEach
  void open() throws IOException {
    Commands.requireRoot();
    store = ImageStore.open(temp.resolve("root"), RegistryConfig.none());
    store.adopt(List.of());
    made =
        builder.image(
            "\"Cmd\":[\"/x\"]",
            Layer.gzip(new TarBuilder().file("a", 0644, "a")),
            Layer.gzip(new TarBuilder().file("b", 0644, "b")));
  }

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
      assertThat(temp.resolve("root/images/tmp")).isEmptyDirectory();
    }
  }

  private List<Image> load(byte[] archive) {
    return store.load("pods", new ByteArrayInputStream(archive), ProgressListener.NONE);
  }

  private List<Image> load(Path archive) throws IOException {
    try (InputStream in = Files.newInputStream(archive)) {
      return store.load("pods", in, ProgressListener.NONE);
    }
  }

  private static String annotation(String name, String value) {
    return ",\"annotations\":{\"" + name + "\":\"" + value + "\"}";
  }

  private static String name(String value) {
    return annotation("org.opencontainers.image.ref.name", value);
  }

  @Test
  void loadsAnOciLayout() {
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, name("example.com/app:1"));
    Image image = load(builder.tar().bytes()).getFirst();
    assertThat(image.id()).isEqualTo(made.config().toString());
    assertThat(image.tags()).containsExactly("example.com/app:1");
    assertThat(image.digests()).isEmpty();
    assertThat(image.layers().getLast().resolve("b")).hasContent("b");
    assertThat(store.find("pods", "example.com/app:1")).isPresent();
  }

  @Test
  void loadsACompressedArchiveWithNestedIndex() {
    Made foreign = builder.image("s390x", "", Layer.gzip(new TarBuilder()));
    Digest index =
        builder.index(
            builder.descriptor(
                foreign.manifest(),
                LayoutBuilder.MANIFEST,
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}"),
            builder.descriptor(
                made.manifest(),
                LayoutBuilder.MANIFEST,
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\""
                    + LayoutBuilder.ARCHITECTURE
                    + "\"}"));
    builder.top(
        index,
        LayoutBuilder.INDEX,
        annotation("io.containerd.image.name", "docker.io/library/x:2"));
    assertThat(load(builder.tar().gzip()))
        .singleElement()
        .satisfies(i -> assertThat(i.tags()).containsExactly("docker.io/library/x:2"));
  }

  @Test
  void aBareTagIsNoName() {
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, name("latest"));
    assertThat(load(builder.tar().bytes()).getFirst().tags()).isEmpty();
    assertThat(store.list("pods")).hasSize(1);
  }

  @Test
  void loadsWhatSkopeoWrites() throws Exception {
    Commands.require("skopeo");
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, name("one"));
    Path layout = Files.createDirectory(temp.resolve("layout"));
    builder.write(layout);
    Path docker = temp.resolve("docker.tar");
    Commands.run(
        "skopeo", "copy", "-q", "oci:" + layout + ":one", "docker-archive:" + docker + ":app:3");
    Image image = load(docker).getFirst();
    assertThat(image.tags()).containsExactly("docker.io/library/app:3");
    assertThat(image.layers()).hasSize(2);
    Path oci = temp.resolve("oci.tar");
    Commands.run(
        "skopeo",
        "copy",
        "-q",
        "oci:" + layout + ":one",
        "oci-archive:" + oci + ":example.com/b:4");
    assertThat(load(oci).getFirst().tags()).contains("example.com/b:4");
  }

  @Test
  void loadsOldDockerArchivesWithLinks() {
    byte[] config = builder.content(made.config());
    byte[] a = new TarBuilder().file("a", 0644, "a").bytes();
    byte[] b = new TarBuilder().file("b", 0644, "b").bytes();
    byte[] archive =
        new TarBuilder()
            .directory("1/", 0755)
            .file("1/layer.tar", 0644, a)
            .directory("2/", 0755)
            .symlink("2/layer.tar", "../3/layer.tar")
            .file("3/layer.tar", 0644, b)
            .file(made.config().hex() + ".json", 0644, config)
            .file(
                "manifest.json",
                0644,
                "[{\"Config\":\""
                    + made.config().hex()
                    + ".json\",\"RepoTags\":[\"old:1\",\"old:2\"],"
                    + "\"Layers\":[\"1/layer.tar\",\"2/layer.tar\"]}]")
            .bytes();
    assertThat(load(archive).getFirst().tags())
        .containsExactly("docker.io/library/old:1", "docker.io/library/old:2");
  }

  @Test
  void takesNamesFromBothDocuments() {
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, "");
    byte[] archive =
        builder
            .tar()
            .file(
                "manifest.json",
                0644,
                "[{\"Config\":\"blobs/sha256/"
                    + made.config().hex()
                    + "\",\"RepoTags\":[\"both:1\"],\"Layers\":[]}]")
            .bytes();
    assertThat(load(archive).getFirst().tags()).containsExactly("docker.io/library/both:1");
  }

  private void assertFails(byte[] archive, Kind kind, String said) {
    assertThatThrownBy(() -> load(archive))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(kind));
    assertThat(store.list("pods")).isEmpty();
  }

  @Test
  void refusesForeignArchives() {
    assertFails(new byte[0], Kind.INVALID, "empty");
    assertFails("hello, this is no archive".repeat(100).getBytes(), Kind.INVALID, "damaged");
    assertFails(
        new TarBuilder().file("etc/passwd", 0644, "x").gzip(),
        Kind.INVALID,
        "not an image archive");
    assertFails(
        new TarBuilder().file("manifest.json", 0, "{}").bytes(), Kind.INVALID, "not a list");
    assertFails(new TarBuilder().file("manifest.json", 0, "[]").bytes(), Kind.INVALID, "no image");
    assertFails(
        new TarBuilder().file("manifest.json", 0, "[{\"Config\":\"../../x\"}]").bytes(),
        Kind.INVALID,
        "lacks");
    assertFails(
        new TarBuilder().file("manifest.json", 0, " ".repeat(5 << 20)).bytes(),
        Kind.INVALID,
        "larger than 4 MiB");
    TarBuilder many = new TarBuilder();
    for (int i = 0; i < 20_001; i++) {
      many.directory("d", 0755);
    }
    assertFails(many.gzip(), Kind.INVALID, "more than 20000 files");
  }

  @Test
  void refusesAnotherPlatform() {
    Made foreign = builder.image("s390x", "", Layer.gzip(new TarBuilder()));
    builder.top(foreign.manifest(), LayoutBuilder.MANIFEST, "");
    assertFails(builder.tar().bytes(), Kind.NOT_FOUND, "linux/s390x");
  }

  @Test
  void refusesAnIncompleteLayout() {
    builder.top(Digest.of(new byte[1]), LayoutBuilder.MANIFEST, "");
    assertFails(builder.tar().bytes(), Kind.INVALID, "lacks \"blobs/sha256/");
  }

  @Test
  void verifiesEveryDigest() {
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, "");
    for (Digest digest : List.of(made.manifest(), made.config(), made.layers().getFirst())) {
      byte[] changed = builder.content(digest).clone();
      changed[changed.length - 1] ^= 1;
      byte[] archive = builder.tar().file("blobs/sha256/" + digest.hex(), 0644, changed).bytes();
      assertFails(archive, Kind.FAILED_PRECONDITION, "digest");
    }
  }

  @Test
  void namesInTheArchiveAreNoPaths() throws IOException {
    HostTree host = HostTree.make(temp.resolve("host"));
    Map<String, String> before = host.state(temp.resolve("none"));
    builder.top(made.manifest(), LayoutBuilder.MANIFEST, "");
    TarBuilder tar = builder.tar();
    tar.file("../../../../host/victim", 0644, "x");
    tar.file(host.path("victim").toString(), 0644, "x");
    tar.symlink("link", host.path("").toString()).file("link/victim", 0644, "x");
    tar.symlink("oci-layout2", host.path("victim").toString());
    load(tar.bytes());
    assertThat(host.state(temp.resolve("none"))).isEqualTo(before);
  }

  @Test
  void neverReadsTheHostThroughALink() {
    byte[] archive =
        new TarBuilder()
            .file("manifest.json", 0, "[{\"Config\":\"c\",\"Layers\":[]}]")
            .symlink("c", "/etc/passwd")
            .bytes();
    assertFails(archive, Kind.INVALID, "lacks \"c\"");
  }

  @Test
  void saysThatThereIsNoSpace() throws Exception {
    Commands.require("mount", "umount");
    Path small = Files.createDirectory(temp.resolve("small"));
    Commands.run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small.toString());
    try {
      ImageStore full = ImageStore.open(small, RegistryConfig.none());
      try {
        byte[] big = new byte[6 << 20];
        Made large = builder.image("", Layer.gzip(new TarBuilder().file("big", 0644, big)));
        builder.top(large.manifest(), LayoutBuilder.MANIFEST, "");
        InputStream archive = new ByteArrayInputStream(builder.tar().bytes());
        assertThatThrownBy(() -> full.load("pods", archive, ProgressListener.NONE))
            .isInstanceOf(PeapodException.class)
            .hasMessageContaining("no space left")
            .satisfies(
                e -> assertThat(((PeapodException) e).kind()).isEqualTo(Kind.RESOURCE_EXHAUSTED));
        assertThat(full.list("pods")).isEmpty();
      } finally {
        full.close();
      }
      try (var left = Files.list(small.resolve("images/l"))) {
        assertThat(left).hasSize(1);
      }
      assertThat(small.resolve("images/tmp")).isEmptyDirectory();
    } finally {
      Commands.run("umount", small.toString());
    }
  }
}
