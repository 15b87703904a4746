package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// Swaps a path with others, one after the other and as fast as it goes, by renameat2(2), so that the path always leads
/// somewhere. Until it is closed.
final class Swapper implements AutoCloseable {
  private static final int AT_FDCWD = -100;
  private static final int RENAME_EXCHANGE = 2;
  @SuppressWarnings("restricted") // Java has no exchange of its own.
  private static final MethodHandle RENAME =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().find("renameat2").orElseThrow(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_INT));

  private final AtomicLong swaps = new AtomicLong();
  private final Thread thread;
  private volatile boolean over;

  private Swapper(Path path, List<Path> others) {
    thread = Thread.ofPlatform().name("swapper").start(() -> swap(path, others));
  }

  /// @param others must exist, as the path
  static Swapper of(Path path, Path... others) {
    return new Swapper(path, List.of(others));
  }

  private void swap(Path path, List<Path> others) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(path.toString());
      List<MemorySegment> all = others.stream().map(other -> arena.allocateFrom(other.toString())).toList();
      for (int i = 0; !over; i = (i + 1) % all.size()) {
        if ((int) RENAME.invokeExact(AT_FDCWD, one, AT_FDCWD, all.get(i), RENAME_EXCHANGE) == 0) {
          swaps.incrementAndGet();
        }
      }
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /// How often it has swapped up to now.
  long swaps() {
    return swaps.get();
  }

  /// Ends it, says how many swaps met how many attempts, and asserts that they could meet at all.
  ///
  /// @param attempts what was tried while it swapped
  /// @param succeeded how many of them went well
  void report(String what, int attempts, int succeeded) {
    close();
    System.out.printf("%s: %d attempts, %d successful, %d swaps%n", what, attempts, succeeded, swaps());
    assertThat(attempts).as("attempts").isPositive();
    assertThat(succeeded).as("successful attempts").isPositive();
    assertThat(swaps()).as("swaps during %d attempts", attempts).isGreaterThan(10L * attempts);
  }

  @Override
  public void close() {
    over = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
