package dev.peapod.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A tree of the host that attacks aim at. Whatever they do, it must stay as it is.
final class Victim {
  private final Path root;
  private final String before;

  private Victim(Path root) {
    this.root = root;
    this.before = checksum(root);
  }

  static Victim make(Path root) {
    try {
      Files.createDirectories(root.resolve("etc"));
      Files.createDirectories(root.resolve("self/fd"));
      Files.writeString(
          root.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\nvictim:x:77:77:::\n");
      Files.writeString(root.resolve("file"), "untouched\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Victim(root);
  }

  Path path() {
    return root;
  }

  void assertUntouched() {
    assertThat(checksum(root)).as("the state of %s", root).isEqualTo(before);
    assertThat(Shell.run("findmnt", "-R", "-n", root.toString()).out()).isEmpty();
  }

  /// Names, contents, owners, modes and times of all that is in the tree.
  private static String checksum(Path root) {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.toList()) {
        Map<String, Object> attributes =
            Files.readAttributes(
                file, "unix:mode,uid,gid,nlink,ino,ctime", LinkOption.NOFOLLOW_LINKS);
        String content = Files.isRegularFile(file) ? Files.readString(file) : "";
        state.put(file.toString(), new TreeMap<>(attributes) + content);
      }
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(state.toString().getBytes(UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
