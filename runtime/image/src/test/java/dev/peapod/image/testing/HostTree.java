package dev.peapod.image.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A tree that stands for the host: what it holds can be compared before and after an attack.
public final class HostTree {
  private final Path root;

  private HostTree(Path root) {
    this.root = root;
  }

  /// Makes a tree of some files that attacks aim at.
  public static HostTree make(Path root) throws IOException {
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(root.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    Files.writeString(root.resolve("victim"), "untouched\n");
    return new HostTree(root);
  }

  public Path path(String name) {
    return root.resolve(name);
  }

  /// Everything about every file, but for `except` and what is in it.
  public Map<String, String> state(Path except) throws IOException {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> !f.startsWith(except)).toList()) {
        Map<String, Object> a =
            Files.readAttributes(
                file, "unix:mode,uid,gid,nlink,size,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
        String content =
            Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.readString(file) : "";
        state.put(root.relativize(file).toString(), new TreeMap<>(a) + content);
      }
    }
    return state;
  }
}
