package dev.peapod.installation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/// The jars that daemon and client are made of, and in `lib` the native libraries that would otherwise be unpacked at every start.
///
/// @param directory where the jars are
/// @param jars file names, sorted
/// @param zstd file name of zstd-jni's native library
record Libraries(Path directory, List<String> jars, String zstd) {
  // Annotations that no code asks for at run time.
  private static final List<String> NOT_NEEDED =
      List.of(
          "animal-sniffer-annotations-",
          "annotations-4",
          "error_prone_annotations-",
          "j2objc-annotations-",
          "jsr305-",
          "listenablefuture-");

  static Libraries install(Path from, Path directory, Path lib) throws IOException {
    Platform platform = Platform.current();
    List<String> jars;
    try (Stream<Path> files = Files.list(from)) {
      jars =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".jar"))
              .filter(name -> NOT_NEEDED.stream().noneMatch(name::startsWith))
              .filter(
                  name ->
                      !name.startsWith("netty-transport-native-epoll-")
                          || name.contains(platform.netty()))
              .sorted()
              .toList();
    }
    for (String jar : jars) {
      if (jar.startsWith("picocli-")) {
        Trees.write(directory.resolve(jar), ModernClasses.of(from.resolve(jar)), "rw-r--r--");
      } else {
        Trees.copy(from.resolve(jar), directory.resolve(jar), "rw-r--r--");
      }
    }
    List<String> natives = new ArrayList<>();
    natives.add(
        unpack(
            directory.resolve(only(jars, "jna-")),
            lib,
            "com/sun/jna/" + platform.jna() + "/",
            "libjnidispatch"));
    natives.add(
        unpack(
            directory.resolve(only(jars, "netty-transport-native-epoll-")),
            lib,
            "META-INF/native/",
            "libnetty_transport_native_epoll_"));
    String zstd =
        unpack(
            directory.resolve(only(jars, "zstd-jni-")),
            lib,
            "linux/" + platform.zstd() + "/",
            "libzstd-jni");
    natives.add(zstd);
    for (Program program : Program.values()) {
      natives.add(program.cache());
    }
    Trees.keepOnly(lib, natives);
    Trees.keepOnly(directory, jars);
    return new Libraries(directory, jars, zstd);
  }

  /// The jars that are Peapod's own.
  List<String> own() {
    return jars.stream().filter(jar -> jar.startsWith("peapod-")).toList();
  }

  /// The jars of others.
  List<String> foreign() {
    return jars.stream().filter(jar -> !jar.startsWith("peapod-")).toList();
  }

  Path path(String jar) {
    return directory.resolve(jar);
  }

  /// The launch script of a program, with its names filled in.
  String fill(Path scripts, Program program) throws IOException {
    return Files.readString(scripts.resolve(program.command()))
        .replace("@module@", ApplicationModule.NAME)
        .replace("@zstd@", zstd)
        .replace("@main@", program.mainClass());
  }

  /// The one jar whose name begins so.
  String only(String prefix) {
    return only(jars, prefix);
  }

  private static String only(List<String> jars, String prefix) {
    List<String> found = jars.stream().filter(jar -> jar.startsWith(prefix)).toList();
    if (found.size() != 1) {
      throw new IllegalStateException("expected one jar " + prefix + "*, found " + found);
    }
    return found.getFirst();
  }

  private static String unpack(Path jar, Path to, String within, String prefix)
      throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      ZipEntry entry =
          file.stream()
              .filter(e -> e.getName().startsWith(within + prefix))
              .findFirst()
              .orElseThrow(
                  () -> new IllegalStateException("no " + within + prefix + "* in " + jar));
      String name = entry.getName().substring(within.length());
      Trees.write(
          to.resolve(name), file.getInputStream(entry).readAllBytes(), "rwxr-xr-x");
      return name;
    }
  }

  /// One line for each jar: name, size and checksum of the content.
  String fingerprint() {
    return jars.stream()
        .map(
            jar -> {
              try {
                java.util.zip.CRC32 checksum = new java.util.zip.CRC32();
                checksum.update(Files.readAllBytes(path(jar)));
                return jar + " " + Files.size(path(jar)) + " " + checksum.getValue();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            })
        .collect(Collectors.joining("\n"));
  }
}
