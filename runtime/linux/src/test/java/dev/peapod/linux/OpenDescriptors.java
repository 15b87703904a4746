package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// What this process has open, to show that nothing leaks.
public final class OpenDescriptors {
  private OpenDescriptors() {}

  /// Descriptor numbers and what they refer to; jars and class files that the JVM opens by itself
  /// are left out.
  public static TreeMap<String, String> now() throws IOException {
    TreeMap<String, String> open = new TreeMap<>();
    try (var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        String target;
        try {
          target = Files.readSymbolicLink(entry).toString();
        } catch (IOException e) {
          continue;
        }
        if (!target.endsWith(".jar") && !target.matches("/proc/\\d+/fd")) {
          open.put(entry.getFileName().toString(), target);
        }
      }
    }
    return open;
  }

  /// Asserts that whatever was opened since then is closed; the JVM closes the pipes of processes
  /// that it started some time after their end.
  public static void assertNoneSince(Map<String, String> before) {
    await()
        .untilAsserted(
            () -> {
              Map<String, String> more = now();
              more.entrySet().removeAll(before.entrySet());
              assertThat(more).isEmpty();
            });
  }
}
