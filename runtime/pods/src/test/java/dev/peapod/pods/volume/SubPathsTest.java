package dev.peapod.pods.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Mounts;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubPathsTest {
  private static final int AT_FDCWD = -100;
  private static final int RENAME_EXCHANGE = 2;
  private static final int SHOWN = Integer.getInteger("peapod.tests.races", 1000);

  /// CVE-2017-1002101, CVE-2021-25741: a directory of the volume is swapped for links out of it and back while parts of
  /// the volume are shown.
  @Test
  void aPartIsSwappedWhileItIsShown(@TempDir Path directory) throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "mounts need root");
    Path outside = directory.resolve("host");
    Path host = Files.createDirectories(outside.resolve("in"));
    Files.writeString(host.resolve("file"), "of the host");
    Path volume = Files.createDirectory(directory.resolve("volume"));
    Path part = Files.createDirectory(volume.resolve("part"));
    Files.createDirectory(part.resolve("in"));
    Files.writeString(part.resolve("in/file"), "of the volume");
    List<Path> links =
        List.of(
            Files.createSymbolicLink(volume.resolve("absolute"), outside),
            Files.createSymbolicLink(volume.resolve("up"), Path.of("../host")),
            Files.createSymbolicLink(volume.resolve("far"), Path.of("../../../../../..", outside.toString())));
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong swaps = new AtomicLong();
    Thread swapper = Thread.ofPlatform().start(() -> swap(part, links, over, swaps));
    Path place = directory.resolve("place");
    int shown = 0;
    try {
      for (int i = 0; i < SHOWN; i++) {
        try {
          Path at = SubPaths.show(volume, i % 2 == 0 ? "part/in" : "part/in/../in/file", place);
          assertThat(Files.readString(i % 2 == 0 ? at.resolve("file") : at)).isEqualTo("of the volume");
          shown++;
        } catch (PeapodException | NoSuchFileException e) {
          // It led to nothing at the time, or to a directory that was made there inside the volume.
        } finally {
          while (PodVolumes.isMounted(place)) {
            Mounts.unmount(place, Mounts.DETACH | Mounts.NOFOLLOW);
          }
        }
      }
    } finally {
      over.set(true);
      swapper.join();
    }
    System.out.printf("parts of volumes: %d attempts, %d shown, %d swaps%n", SHOWN, shown, swaps.get());
    assertThat(shown).isPositive();
    assertThat(swaps.get()).isGreaterThan(SHOWN);
    try (Stream<Path> files = Files.walk(outside)) {
      assertThat(files.map(f -> directory.relativize(f).toString()))
          .containsExactlyInAnyOrder("host", "host/in", "host/in/file");
    }
    assertThat(host.resolve("file")).hasContent("of the host");
  }

  @SuppressWarnings("restricted") // Java has no exchange of its own.
  private static void swap(Path path, List<Path> others, AtomicBoolean over, AtomicLong swaps) {
    Linker linker = Linker.nativeLinker();
    MethodHandle rename =
        linker.downcallHandle(
            linker.defaultLookup().find("renameat2").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(path.toString());
      List<MemorySegment> all = others.stream().map(o -> arena.allocateFrom(o.toString())).toList();
      for (int i = 0; !over.get(); i = (i + 1) % all.size()) {
        if ((int) rename.invokeExact(AT_FDCWD, one, AT_FDCWD, all.get(i), RENAME_EXCHANGE) == 0) {
          swaps.incrementAndGet();
        }
      }
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
