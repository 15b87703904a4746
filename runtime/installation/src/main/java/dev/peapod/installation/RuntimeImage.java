package dev.peapod.installation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;

/// The Java run-time image: daemon and client as one module, and the modules of the JDK that runs this which they use.
final class RuntimeImage {
  // Named by optional code that Peapod never comes to: java.beans and AWT in Jackson, SnakeYAML and JNA, dates of SQL
  // in Jackson and Gson, events in Netty. They would double the image.
  private static final Set<String> OPTIONAL = Set.of("java.desktop", "java.sql", "jdk.jfr");

  private RuntimeImage() {}

  static void install(
      Libraries libraries, String version, Path image, Path work, Stamp stamp) throws IOException {
    Set<String> modules = new TreeSet<>();
    modules.addAll(modules("foreign", libraries, libraries.foreign(), work, stamp));
    modules.addAll(modules("own", libraries, libraries.own(), work, stamp));
    modules.removeAll(OPTIONAL);
    String list = String.join(",", modules);
    String madeFrom =
        "%s %s %s %s\n%s"
            .formatted(
                version,
                System.getProperty("java.home"),
                Runtime.version(),
                list,
                libraries.fingerprint());
    if (Files.exists(image.resolve("release")) && stamp.matches("runtime", madeFrom)) {
      return;
    }
    Installer.say("linking the Java run-time image of " + Runtime.version() + ": " + list);
    stamp.clear("runtime");
    Trees.delete(image);
    Path application = work.resolve("application/" + ApplicationModule.NAME + ".jar");
    ApplicationModule.write(libraries, version, modules, application);
    // Not compressed: classes that no cache holds are then read quickest, and the archive is compressed anyway.
    run(
        "jlink",
        List.of(
            "--module-path",
            application.toString(),
            "--add-modules",
            ApplicationModule.NAME,
            "--output",
            image.toString(),
            "--no-header-files",
            "--no-man-pages",
            "--compress=zip-0"));
    stamp.set("runtime", madeFrom);
  }

  /// What jdeps finds, or what it found when the jars were the same.
  private static List<String> modules(
      String name, Libraries libraries, List<String> jars, Path work, Stamp stamp)
      throws IOException {
    StringBuilder madeFrom = new StringBuilder(Runtime.version().toString());
    for (String jar : jars) {
      madeFrom
          .append('\n')
          .append(jar)
          .append(' ')
          .append(Files.getLastModifiedTime(libraries.path(jar)).toMillis());
    }
    String found = "found-" + name;
    Path result = work.resolve("modules-" + name);
    if (stamp.matches(found, madeFrom.toString()) && Files.exists(result)) {
      return Files.readAllLines(result);
    }
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--ignore-missing-deps",
                "--multi-release",
                Integer.toString(Runtime.version().feature()),
                "--list-deps",
                "--class-path",
                libraries.jars().stream()
                    .map(jar -> libraries.path(jar).toString())
                    .collect(Collectors.joining(":"))));
    jars.forEach(jar -> arguments.add(libraries.path(jar).toString()));
    // Among warnings, lines with a module, or with a module and one of its inner packages.
    List<String> modules =
        run("jdeps", arguments)
            .lines()
            .map(line -> line.strip().replaceFirst("/.*", ""))
            .filter(line -> line.matches("jdk\\.[a-z.]+|java\\.[a-z.]+"))
            .distinct()
            .toList();
    Files.write(result, modules);
    stamp.set(found, madeFrom.toString());
    return modules;
  }

  private static String run(String tool, List<String> arguments) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, false, StandardCharsets.UTF_8);
    int status =
        ToolProvider.findFirst(tool)
            .orElseThrow(() -> new IOException("this JDK has no " + tool))
            .run(stream, stream, arguments.toArray(String[]::new));
    stream.flush();
    String text = out.toString(StandardCharsets.UTF_8);
    if (status != 0) {
      throw new IOException(tool + " failed with " + status + ":\n" + text);
    }
    return text;
  }
}
