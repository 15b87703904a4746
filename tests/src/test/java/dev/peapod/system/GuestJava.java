package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/// The Java machine that runs tests in the guest. Emulation makes loading classes slow, so most of them come from an
/// ahead-of-time cache (JEP 483), which a test that is run here fills.
final class GuestJava {
  /// A test that uses most of what the others use.
  private static final String TRAINING = ResourcesIT.class.getName() + "#anotherKillIsNotForWantOfMemory";

  private static final List<String> OPTIONS =
      List.of(
          Path.of(System.getProperty("java.home"), "bin/java").toString(),
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:ArchiveRelocationMode=0",
          // Where the heap lies decides what of the cache can be used.
          "-Xmx512m",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-Dio.netty.jfr.enabled=false",
          "-Dpeapod.home=" + Fixtures.HOME);

  private GuestJava() {}

  /// Makes jars and the cache.
  ///
  /// @param made where they are made
  /// @return the command that runs tests in the guest; a file for [GuestTests] to write to, as the guest sees it, and the
  ///     names of classes are to follow
  static List<String> make(Path made) throws IOException {
    String classPath = classPath(made);
    Path cache = made.resolve("tests.aot");
    Files.deleteIfExists(cache);
    List<String> training = command(classPath, List.of("-XX:AOTCacheOutput=" + cache));
    training.addAll(List.of(made.resolve("training").toString(), TRAINING));
    Shell.run(training.toArray(String[]::new)).ok();
    return command(classPath, List.of("-XX:AOTCache=" + cache, "-Dpeapod.tests.patience=600"));
  }

  private static List<String> command(String classPath, List<String> options) {
    List<String> command = new ArrayList<>(OPTIONS);
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, GuestTests.class.getName()));
    return command;
  }

  /// This one's own, and the tests of module linux with what they run on. What is in a directory could not be in the
  /// cache, so each is made a jar.
  private static String classPath(Path made) throws IOException {
    List<Path> places = new ArrayList<>();
    String own = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Stream.of(own.split(File.pathSeparator, -1)).map(Path::of).forEach(places::add);
    places.add(Fixtures.HOME.resolve("runtime/linux/target/test-classes"));
    try (Stream<Path> jars = Files.list(Fixtures.HOME.resolve("runtime/installation/target/jars"))) {
      jars.filter(jar -> jar.getFileName().toString().matches("(peapod-linux|jna)-.*\\.jar"))
          .forEach(places::add);
    }
    ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
    List<String> path = new ArrayList<>();
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        Path packed = made.resolve("classes" + path.size() + ".jar");
        assertThat(
                jar.run(
                    System.out, System.err, "-cf", packed.toString(), "-C", place.toString(), "."))
            .isZero();
        path.add(packed.toString());
      } else if (Files.exists(place)) {
        path.add(place.toString());
      }
    }
    return String.join(File.pathSeparator, path);
  }
}
