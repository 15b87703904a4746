package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.LayoutBuilder;
import dev.peapod.image.testing.LayoutBuilder.Layer;
import dev.peapod.image.testing.RealRegistry;
import dev.peapod.image.testing.TarBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The store against a real registry.
class ImageStoreTest {
  private static final String OWNER = "pods";
  private static final String OTHER = "kubelet";

  @TempDir static Path shared;
  private static RealRegistry registry;
  private static LayoutBuilder.Made first;
  private static LayoutBuilder.Made second;
  private static Digest index;

  @TempDir Path root;
  private ImageStore store;

  @BeforeAll
  static void fillRegistry() throws Exception {
    Commands.requireRoot();
    registry = RealRegistry.start(Files.createDirectory(shared.resolve("registry")));
    Path layout = shared.resolve("layout");
    LayoutBuilder builder = new LayoutBuilder();
    Layer base =
        Layer.gzip(
            new TarBuilder()
                .directory("./", 0755)
                .directory("etc/", 0755)
                .file("etc/os-release", 0644, "NAME=test\n")
                .owner(7, 8)
                .directory("srv/", 01770));
    Layer top =
        Layer.gzip(new TarBuilder().file("srv/data", 0600, "data").file("etc/.wh.gone", 0, ""));
    Layer other = Layer.gzip(new TarBuilder().file("etc/issue", 0644, "second\n"));
    first = builder.image("\"Cmd\":[\"/bin/true\"],\"Env\":[\"A=b\"],\"User\":\"7\"", base, top);
    // The ids begin alike, for the sake of ambiguous prefixes.
    int tries = 0;
    do {
      String config = "\"Cmd\":[\"/bin/false\"],\"Labels\":{\"try\":\"" + tries++ + "\"}";
      second = builder.image(config, base, other);
    } while (second.config().hex().charAt(0) != first.config().hex().charAt(0));
    LayoutBuilder.Made foreign = builder.image("s390x", "", other);
    index =
        builder.index(
            builder.descriptor(
                foreign.manifest(),
                LayoutBuilder.MANIFEST,
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}"),
            builder.descriptor(
                first.manifest(),
                LayoutBuilder.MANIFEST,
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\""
                    + LayoutBuilder.ARCHITECTURE
                    + "\"}"));
    LayoutBuilder.Made empty = builder.image("");
    builder.top(first.manifest(), LayoutBuilder.MANIFEST, ref("one"));
    builder.top(second.manifest(), LayoutBuilder.MANIFEST, ref("two"));
    builder.top(foreign.manifest(), LayoutBuilder.MANIFEST, ref("foreign"));
    builder.top(empty.manifest(), LayoutBuilder.MANIFEST, ref("empty"));
    builder.top(index, LayoutBuilder.INDEX, ref("many"));
    builder.write(layout);
    registry.push(layout, "one", "test/app:1");
    registry.push(layout, "two", "test/app:2");
    registry.push(layout, "one", "test/docker:1", "--format", "v2s2");
    registry.push(layout, "foreign", "test/foreign:1");
    registry.push(layout, "empty", "test/empty:1");
    registry.push(layout, "many", "test/many:1", "--all");
  }

  private static String ref(String name) {
    return ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" + name + "\"}";
  }

  @AfterAll
  static void stopRegistry() {
    if (registry != null) {
      registry.close();
    }
  }

  @BeforeEach
  void open() {
    store = ImageStore.open(root, RegistryConfig.none());
    store.adopt(List.of());
  }

  @AfterEach
  void close() {
    store.close();
  }

  private Image pull(String name) {
    return pull(OWNER, name);
  }

  private Image pull(String owner, String name) {
    return store.pull(
        owner,
        Reference.parse(registry.host() + "/" + name),
        Optional.empty(),
        ProgressListener.NONE);
  }

  @Test
  void pullsAndUnpacks() throws IOException {
    Image image = pull("test/app:1");
    assertThat(image.id()).isEqualTo(first.config().toString());
    assertThat(image.tags()).containsExactly(registry.host() + "/test/app:1");
    assertThat(image.digests()).containsExactly(registry.host() + "/test/app@" + first.manifest());
    assertThat(image.config().cmd()).containsExactly("/bin/true");
    assertThat(image.config().env()).containsExactly("A=b");
    assertThat(image.config().user()).isEqualTo("7");
    assertThat(image.layers()).hasSize(2);
    assertThat(image.size()).isEqualTo(14);
    assertThat(image.layers().getFirst().resolve("etc/os-release")).hasContent("NAME=test\n");
    assertThat(image.layers().getLast().resolve("srv/data")).hasContent("data");
    assertThat(image.layers().getFirst().getFileName().toString()).hasSizeLessThan(4);
  }

  @Test
  void givesDirectoriesThatALayerDoesNotNameTheOwnerBelow() throws IOException {
    Path top = pull("test/app:1").layers().getLast();
    assertThat(Files.getAttribute(top.resolve("srv"), "unix:uid")).isEqualTo(7);
    assertThat(Files.getAttribute(top.resolve("srv"), "unix:gid")).isEqualTo(8);
    assertThat((int) Files.getAttribute(top.resolve("srv"), "unix:mode") & 07777).isEqualTo(01770);
  }

  @Test
  void pullsByDigestWithoutTag() {
    Image image = pull("test/app@" + first.manifest());
    assertThat(image.tags()).isEmpty();
    assertThat(image.digests()).containsExactly(registry.host() + "/test/app@" + first.manifest());
    assertThat(store.find(OWNER, registry.host() + "/test/app@" + first.manifest())).isPresent();
    assertThat(store.find(OWNER, registry.host() + "/test/app:1")).isEmpty();
    pull("test/app:1");
    assertThat(store.find(OWNER, image.id()).orElseThrow().tags()).hasSize(1);
  }

  @Test
  void choosesThisPlatformOfAnIndex() {
    Image image = pull("test/many:1");
    assertThat(image.id()).isEqualTo(first.config().toString());
    assertThat(image.digests()).containsExactly(registry.host() + "/test/many@" + index);
  }

  @Test
  void pullsDockerSchema2() {
    assertThat(pull("test/docker:1").layers()).hasSize(2);
  }

  @Test
  void givesAnImageWithoutLayersAnEmptyOne() {
    Image image = pull("test/empty:1");
    assertThat(image.layers()).hasSize(1);
    assertThat(image.layers().getFirst()).isEmptyDirectory();
  }

  @Test
  void sharesLayers() {
    Image one = pull("test/app:1");
    Map<String, LayerProgress.State> last = new ConcurrentHashMap<>();
    Image two =
        store.pull(
            OWNER,
            Reference.parse(registry.host() + "/test/app:2"),
            Optional.empty(),
            progress -> last.put(progress.digest(), progress.state()));
    assertThat(two.layers().getFirst()).isEqualTo(one.layers().getFirst());
    assertThat(last)
        .containsEntry(first.layers().getFirst().toString(), LayerProgress.State.EXISTS)
        .containsEntry(second.layers().getLast().toString(), LayerProgress.State.DONE);
  }

  @Test
  void movesATagAndKeepsTheOldImage() throws Exception {
    pull("test/app:1");
    registry.push(shared.resolve("layout"), "one", "test/moving:latest");
    pull("test/moving");
    registry.push(shared.resolve("layout"), "two", "test/moving:latest");
    Image moved = pull("test/moving");
    assertThat(moved.id()).isEqualTo(second.config().toString());
    store.remove(OWNER, registry.host() + "/test/app:1");
    Image again = pull("test/app:1");
    assertThat(again.tags()).containsExactly(registry.host() + "/test/app:1");
    assertThat(store.list(OWNER)).hasSize(2);
  }

  @Test
  void keepsAnImageThatLostItsTag() throws Exception {
    registry.push(shared.resolve("layout"), "one", "test/moved:latest");
    pull("test/moved");
    registry.push(shared.resolve("layout"), "two", "test/moved:latest");
    pull("test/moved");
    Image old = store.find(OWNER, first.config().toString()).orElseThrow();
    assertThat(old.tags()).isEmpty();
    assertThat(old.digests()).hasSize(1);
  }

  @Test
  void findsByPrefix() {
    Image image = pull("test/app:1");
    assertThat(store.find(OWNER, image.id().substring(7, 19))).isPresent();
    assertThat(store.find(OWNER, image.id().substring(7))).isPresent();
    assertThat(store.find(OWNER, "nothing")).isEmpty();
    assertThat(store.find(OWNER, "not a name!")).isEmpty();
    pull("test/app:2");
    String common = image.id().substring(7, 8);
    assertFails(() -> store.find(OWNER, common), Kind.INVALID, "write more of it");
  }

  @Test
  void showsEachOwnerItsOwn() {
    Image image = pull(OWNER, "test/app:1");
    assertThat(store.list(OTHER)).isEmpty();
    assertThat(store.find(OTHER, image.id())).isEmpty();
    pull(OTHER, "test/app:1");
    store.remove(OWNER, image.id());
    assertThat(store.list(OWNER)).isEmpty();
    assertThat(store.list(OTHER)).hasSize(1);
    assertThat(image.layers().getFirst()).isDirectory();
    store.remove(OTHER, image.id());
    awaitGone(image.layers().getFirst());
  }

  @Test
  void removingTwiceIsFine() {
    store.remove(OWNER, "docker.io/library/none:1");
    store.remove(OWNER, "sha256:" + "0".repeat(64));
  }

  @Test
  void keepsWhatIsLeased() {
    Image image = pull("test/app:1");
    Lease lease = store.lease(image.id(), "container-1");
    store.remove(OWNER, image.id());
    assertThat(store.list(OWNER)).isEmpty();
    store.close();
    store = ImageStore.open(root, RegistryConfig.none());
    assertThat(image.layers()).allSatisfy(layer -> assertThat(layer).isDirectory());
    store.adopt(List.of(lease));
    assertThat(image.layers()).allSatisfy(layer -> assertThat(layer).isDirectory());
    store.release("container-1");
    awaitGone(image.layers().getFirst());
    assertThat(store.usage().bytes()).isZero();
    assertThatThrownBy(() -> store.lease(image.id(), "container-2"))
        .isInstanceOf(PeapodException.class);
  }

  @Test
  void remembersAfterARestart() {
    Image image = pull("test/app:1");
    store.close();
    store = ImageStore.open(root, RegistryConfig.none());
    assertThat(store.list(OWNER)).containsExactly(image);
    assertThat(store.usage().bytes()).isEqualTo(14);
  }

  @Test
  void removesWhatWasLeftHalfMade() throws IOException {
    Image image = pull("test/app:1");
    store.close();
    Path half = Files.createDirectories(root.resolve("images/l/77/some/thing"));
    Files.writeString(half.resolve("file"), "x");
    Files.createDirectories(root.resolve("images/tmp/load-1/x"));
    store = ImageStore.open(root, RegistryConfig.none());
    store.adopt(List.of());
    awaitGone(root.resolve("images/l/77"));
    assertThat(root.resolve("images/tmp")).isEmptyDirectory();
    assertThat(image.layers()).allSatisfy(layer -> assertThat(layer).isDirectory());
  }

  @Test
  void setsATornIndexAside() throws IOException {
    Image image = pull("test/app:1");
    Lease lease = store.lease(image.id(), "container-1");
    store.close();
    Files.writeString(root.resolve("images/index.json"), "{\"version\":1,\"layers\":[{");
    store = ImageStore.open(root, RegistryConfig.none());
    store.adopt(List.of(lease));
    assertThat(store.list(OWNER)).isEmpty();
    assertThat(root.resolve("images/index.json.broken")).exists();
    // A container may run on them.
    assertThat(image.layers()).allSatisfy(layer -> assertThat(layer).isDirectory());
    assertThat(pull("test/app:1").id()).isEqualTo(image.id());
  }

  @Test
  void pullsTheSameImageAtOnce() throws Exception {
    List<Thread> threads =
        Stream.generate(() -> Thread.ofVirtual().unstarted(() -> pull("test/app:1")))
            .limit(6)
            .toList();
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(store.list(OWNER)).hasSize(1);
    try (Stream<Path> layers = Files.list(root.resolve("images/l"))) {
      assertThat(layers).hasSize(3);
    }
  }

  @Test
  void saysWhatIsMissing() {
    assertFails(() -> pull("test/app:none"), Kind.NOT_FOUND, "/test/app:none");
    assertFails(() -> pull("nothing/here:1"), Kind.NOT_FOUND, "nothing/here:1");
    assertFails(() -> pull("test/foreign:1"), Kind.NOT_FOUND, "linux/s390x");
    assertFails(() -> pull("test/app@sha256:" + "1".repeat(64)), Kind.NOT_FOUND, "1111");
    assertThat(store.list(OWNER)).isEmpty();
    assertThat(root.resolve("images/tmp")).isEmptyDirectory();
  }

  @Test
  void saysThatTheRegistryIsDown() {
    assertFails(
        () ->
            store.pull(
                OWNER,
                Reference.parse("127.0.0.1:1/test/app:1"),
                Optional.empty(),
                ProgressListener.NONE),
        Kind.UNAVAILABLE,
        "registry 127.0.0.1:1 can not be asked for image 127.0.0.1:1/test/app:1");
  }

  @Test
  void statesOnDiskAreClosedToOthers() throws IOException {
    pull("test/app:1");
    for (String name : List.of("images", "images/l", "images/configs")) {
      assertThat((int) Files.getAttribute(root.resolve(name), "unix:mode") & 077).isZero();
    }
    assertThat((int) Files.getAttribute(root.resolve("images/index.json"), "unix:mode") & 077)
        .isZero();
  }

  private static void assertFails(Runnable work, Kind kind, String said) {
    assertThatThrownBy(work::run)
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(kind));
  }

  private static void awaitGone(Path path) {
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> !Files.exists(path));
  }
}
