package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacesTest {
  @BeforeEach
  void onlyRoot() {
    Root.assumed();
  }

  @Test
  void workRunsInsideAndTheCallerStaysOutside() throws Exception {
    var before = OpenDescriptors.now();
    try (var child = Child.start("unshare", "--net", "--mount", "sleep", "60")) {
      int pid = child.pid();
      awaitOtherNamespace(pid);
      for (var type : List.of(Namespaces.Type.NET, Namespaces.Type.MNT)) {
        String outside = here(type);
        try (Fd namespace = Namespaces.open(pid, type)) {
          String inside = Namespaces.within(namespace, () -> here(type));
          assertThat(inside).isNotEqualTo(outside);
          assertThat(inside)
              .isEqualTo(
                  Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + type.file()))
                      .toString());
          assertThat(here(type)).isEqualTo(outside);
          assertThatExceptionOfType(IOException.class)
              .isThrownBy(
                  () ->
                      Namespaces.within(
                          namespace,
                          () -> {
                            throw new IOException("as it is");
                          }))
              .withMessage("as it is");
        }
      }
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void noThreadIsLeftInside() throws Exception {
    try (var child = Child.start("unshare", "--net", "sleep", "60")) {
      int pid = child.pid();
      awaitOtherNamespace(pid);
      try (Fd namespace = Namespaces.open(pid, Namespaces.Type.NET);
          var executor = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<String>> all = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
          all.add(
              executor.submit(
                  () -> {
                    Namespaces.within(namespace, () -> here(Namespaces.Type.NET));
                    return here(Namespaces.Type.NET);
                  }));
        }
        Set<String> after = new TreeSet<>();
        for (var f : all) {
          after.add(f.get());
        }
        assertThat(after).containsExactly(here(Namespaces.Type.NET));
      }
      // The one-shot threads may still be on their way out; a thread born inside would stay.
      await().untilAsserted(() -> assertThat(threadsElsewhere()).isEmpty());
    }
  }

  private static List<String> threadsElsewhere() throws IOException {
    List<String> elsewhere = new ArrayList<>();
    try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path task : tasks) {
        try {
          String namespace = Files.readSymbolicLink(task.resolve("ns/net")).toString();
          if (!namespace.equals(here(Namespaces.Type.NET))) {
            elsewhere.add(Files.readString(task.resolve("comm")).strip());
          }
        } catch (IOException e) {
          // The thread has ended meanwhile.
        }
      }
    }
    return elsewhere;
  }

  @Test
  void aDescriptorThatIsNoNamespaceIsRefused() {
    try (Fd file = Fd.open("/dev/null", Open.RDONLY)) {
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> Namespaces.within(file, () -> 1))
          .withMessageContaining("setns")
          .matches(e -> e.errno() == Errno.EINVAL);
    }
  }

  @Test
  void aPinnedNamespaceOutlivesItsProcessUntilItIsUnpinned(@TempDir Path directory)
      throws Exception {
    var before = OpenDescriptors.now();
    Path pin = directory.resolve("pinned");
    String inside;
    try (var child = Child.start("unshare", "--net", "sleep", "60")) {
      awaitOtherNamespace(child.pid());
      try (Pidfd process = Pidfd.open(child.pid()).orElseThrow()) {
        Namespaces.pin(process, Namespaces.Type.NET, pin);
        Namespaces.pin(process, Namespaces.Type.NET, pin);
      }
      inside =
          Files.readSymbolicLink(Path.of("/proc/" + child.pid() + "/ns/net")).toString();
    }
    try (Fd namespace = Fd.open(pin.toString(), Open.RDONLY)) {
      assertThat(Namespaces.within(namespace, () -> here(Namespaces.Type.NET)))
          .isEqualTo(inside);
    }
    Namespaces.unpin(pin);
    assertThat(pin).doesNotExist();
    assertThat(Mounts.self()).noneMatch(m -> m.mountPoint().equals(pin));
    Namespaces.unpin(pin);
    OpenDescriptors.assertNoneSince(before);
  }

  private static void awaitOtherNamespace(int pid) {
    await()
        .until(
            () ->
                !Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/net"))
                    .toString()
                    .equals(here(Namespaces.Type.NET)));
  }

  private static String here(Namespaces.Type type) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/thread-self/ns/" + type.file())).toString();
  }
}
