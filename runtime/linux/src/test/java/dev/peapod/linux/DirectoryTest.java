package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryTest {
  @TempDir Path temp;
  private Path inside;
  private Path outside;
  private Directory root;
  private Map<String, String> descriptors;

  @BeforeEach
  void open() throws IOException {
    Root.assumed();
    inside = Files.createDirectory(temp.resolve("inside"));
    outside = Files.createDirectory(temp.resolve("outside"));
    Files.writeString(outside.resolve("secret"), "secret");
    root = Directory.open(inside);
    descriptors = new TreeMap<>(OpenDescriptors.now());
  }

  @AfterEach
  void nothingLeaks() throws IOException {
    if (root != null) {
      OpenDescriptors.assertNoneSince(descriptors);
      root.clear("");
      root.close();
    }
  }

  private static void fails(int errno, ThrowingCallable call) {
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .matches(e -> e.errno() == errno, "errno " + errno);
  }

  private void write(String path, String contents) {
    try (Fd fd = root.create(path, 0644)) {
      FdIo.writeAll(fd, contents.getBytes(UTF_8), 0);
    }
  }

  @Test
  void makesFilesDirectoriesLinksAndNodes() throws Exception {
    root.mkdirs("/a/b/c/", 0755);
    root.mkdirs("a/b", 0700);
    write("a/b/file", "contents");
    root.symlink("../b/file", "a/b/link");
    root.link("a/b/file", "a/hard");
    root.mknod("a/null", Open.S_IFCHR | 0666, FileStat.device(1, 3));
    root.mknod("a/fifo", Open.S_IFIFO | 0600, 0);
    assertThat(inside.resolve("a/b/file")).hasContent("contents");
    assertThat(root.readLink("a/b/link")).isEqualTo("../b/file");
    assertThat(root.stat("a/hard").orElseThrow().links()).isEqualTo(2);
    assertThat(root.stat("a/null").orElseThrow().special()).isEqualTo(FileStat.device(1, 3));
    assertThat(Files.getAttribute(inside.resolve("a/null"), "unix:rdev")).isEqualTo(0x103L);
    assertThat(root.stat("a/none")).isEmpty();
    assertThat(root.stat("a/b/file/none")).isEmpty();
    assertThat(root.stat("")).hasValueSatisfying(s -> assertThat(s.isDirectory()).isTrue());
    assertThat(root.list("a").stream().map(Directory.Entry::name))
        .containsExactlyInAnyOrder("b", "hard", "null", "fifo");
    assertThat(root.list("a")).contains(new Directory.Entry("fifo", Open.S_IFIFO));
    root.rename("a/hard", "soft");
    assertThat(root.readRegular("soft", 100)).asString(UTF_8).isEqualTo("contents");
    root.unlink("soft");
    root.rmdir("a/b/c");
    fails(Errno.ENOENT, () -> root.unlink("soft"));
    fails(Errno.EEXIST, () -> root.mkdir("a", 0755));
    fails(Errno.EEXIST, () -> root.create("a/b/file", 0644));
    fails(Errno.ENOTDIR, () -> root.mkdirs("a/b/file/x", 0755));
    fails(Errno.EINVAL, () -> root.mkdir("..", 0755));
    fails(Errno.EINVAL, () -> root.mkdir("a/nul\0byte", 0755));
  }

  @Test
  void setsOwnersModesTimesAndAttributesOfTheNameItself() throws Exception {
    write("file", "x");
    root.symlink("file", "link");
    Instant then = Instant.ofEpochSecond(1_000_000_000, 123_456_789);
    root.chown("file", 4_000_000_000L, 7);
    root.chmod("file", 04755);
    root.chown("link", 5, 6);
    root.setTimes("link", then, then);
    root.setXattr("file", "user.colour", "red".getBytes(UTF_8));
    root.setXattr("link", "trusted.of-link", new byte[] {0, 1});
    FileStat file = root.stat("file").orElseThrow();
    assertThat(file.uid()).isEqualTo(4_000_000_000L);
    assertThat(file.gid()).isEqualTo(7);
    assertThat(file.permissions()).isEqualTo(04755);
    assertThat(file.modified()).isNotEqualTo(then);
    FileStat link = root.stat("link").orElseThrow();
    assertThat(link.uid()).isEqualTo(5);
    assertThat(link.modified()).isEqualTo(then);
    assertThat(root.getXattr("file", "user.colour").orElseThrow()).asString(UTF_8).isEqualTo("red");
    assertThat(root.getXattr("link", "user.colour")).isEmpty();
    assertThat(root.getXattr("link", "trusted.of-link")).hasValue(new byte[] {0, 1});
    assertThat(root.listXattrs("file")).containsExactly("user.colour");
    fails(Errno.ELOOP, () -> root.chmod("link", 0777));
    fails(Errno.EINVAL, () -> root.chown("file", 0xffffffffL, 0));
    fails(Errno.EINVAL, () -> root.chown("file", 1L << 32, 0));
    try (Fd fd = root.open("file", Open.RDWR)) {
      Attributes.chown(fd, 1, 2);
      Attributes.chmod(fd, 0640);
      Attributes.setTimes(fd, then, then);
      Attributes.setXattr(fd, "user.colour", "blue".getBytes(UTF_8));
      FileStat stat = FileStat.of(fd);
      assertThat(stat.uid()).isEqualTo(1);
      assertThat(stat.permissions()).isEqualTo(0640);
      assertThat(stat.modified()).isEqualTo(then);
    }
  }

  @Test
  void pathsAndLinksNeverLeadOutside() throws Exception {
    root.symlink(outside.toString(), "absolute");
    root.symlink("../outside", "relative");
    root.symlink("/", "top");
    root.mkdir("dir", 0755);
    fails(Errno.ENOENT, () -> root.open("absolute/secret", Open.RDONLY));
    fails(Errno.ENOENT, () -> root.readRegular("relative/secret", 100));
    fails(Errno.ENOENT, () -> root.readRegular("../../../outside/secret", 100));
    fails(Errno.ENOENT, () -> root.create("relative/new", 0644));
    fails(Errno.ENOENT, () -> root.mkdirs("absolute/new", 0755));
    write("top/dir/../dir/file", "in the root");
    assertThat(inside.resolve("dir/file")).hasContent("in the root");
    root.symlink("/proc/self/fd/" + root.fd().number(), "magic");
    fails(Errno.ENOENT, () -> root.open("magic", Open.RDONLY));
    try (Directory proc = Directory.open(Path.of("/proc"))) {
      fails(
          Errno.ELOOP, () -> proc.open("self/fd/" + root.fd().number() + "/dir", Open.RDONLY));
    }
    assertThat(outside).isDirectoryNotContaining("glob:**new");
  }

  @Test
  void readsRegularFilesOnlyAndNoMoreThanAsked() throws Exception {
    write("passwd", "root:x:0:0");
    root.symlink("/passwd", "link");
    root.mknod("fifo", Open.S_IFIFO | 0600, 0);
    root.mkdir("dir", 0755);
    assertThat(root.readRegular("link", 10)).asString(UTF_8).isEqualTo("root:x:0:0");
    for (String path : new String[] {"fifo", "dir"}) {
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> root.readRegular(path, 100))
          .withMessageContaining("not a regular file");
    }
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> root.readRegular("passwd", 9))
        .withMessageContaining("longer than 9 bytes");
  }

  @Test
  void removesTreesWithoutFollowingLinks() throws Exception {
    root.mkdirs("tree/a/b", 0755);
    write("tree/a/b/file", "x");
    root.symlink(outside.toString(), "tree/a/out");
    root.symlink(outside.resolve("secret").toString(), "tree/secret");
    Files.writeString(inside.resolve("tree/kept"), "y");
    for (int i = 0; i < 600; i++) {
      root.mkdir("tree/a/b/directory-with-a-long-name-" + i, 0755);
    }
    root.removeTree("tree");
    root.removeTree("tree");
    root.removeTree("tree/not/there");
    assertThat(inside).isEmptyDirectory();
    assertThat(outside.resolve("secret")).hasContent("secret");
    root.symlink(outside.toString(), "link");
    root.removeTree("link");
    assertThat(inside).isEmptyDirectory();
    assertThat(outside.resolve("secret")).hasContent("secret");
  }

  @Test
  void removesAndCountsTreesThatAreDeeperThanAnyPath() throws Exception {
    Directory at = root.openDirectory(".");
    int levels = 2100;
    for (int i = 0; i < levels; i++) {
      at.mkdir("d", 0755);
      at.create("f", 0644).close();
      Directory below = at.openDirectory("d");
      at.close();
      at = below;
    }
    at.close();
    assertThat(Trees.usage(inside).inodes()).isGreaterThan(900);
    root.removeTree("d");
    assertThat(inside).isDirectoryContaining("glob:**/f");
    root.clear("");
    assertThat(inside).isEmptyDirectory();
  }

  @Test
  void whatIsMountedInATreeIsNotRemoved() throws Exception {
    root.mkdirs("tree/mounted", 0755);
    Path mounted = inside.resolve("tree/mounted");
    Mounts.bind(outside, mounted);
    try {
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> root.removeTree("tree"))
          .matches(e -> e.errno() == Errno.EXDEV || e.errno() == Errno.EBUSY);
      assertThat(outside.resolve("secret")).hasContent("secret");
    } finally {
      assertThat(Mounts.unmount(mounted, Mounts.DETACH)).isTrue();
    }
    root.removeTree("tree");
    assertThat(Mounts.unmount(mounted, 0)).isFalse();
  }

  @Test
  void usageCountsSpaceOnceForFilesWithSeveralNames() throws Exception {
    long empty = Trees.usage(inside).bytes();
    assertThat(Trees.usage(inside).inodes()).isEqualTo(1);
    Files.write(inside.resolve("big"), new byte[1 << 20]);
    root.link("big", "again");
    root.symlink("/usr", "link");
    Trees.Usage usage = Trees.usage(inside);
    assertThat(usage.inodes()).isEqualTo(3);
    assertThat(usage.bytes() - empty).isBetween(1L << 20, (1L << 20) + 65536);
  }

  @Test
  void namesThatAreNoTextAreRemovedToo() throws Exception {
    new ProcessBuilder("bash", "-c", "mkdir $'b\\xff\\xfe' && touch $'b\\xff\\xfe/x\\xe4'")
        .directory(inside.toFile())
        .inheritIO()
        .start()
        .waitFor();
    assertThat(root.list("")).hasSize(1);
    root.clear("");
    assertThat(root.list("")).isEmpty();
  }
}
