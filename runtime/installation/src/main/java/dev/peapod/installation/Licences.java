package dev.peapod.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;

/// `share/licences`: which licence each shipped jar is under, and the texts that the jars carry. Those of the Java run-time
/// image are in its own `legal` directory.
final class Licences {
  private Licences() {}

  static void install(Path from, Libraries libraries, Path share) throws IOException {
    List<String[]> known =
        Files.readAllLines(from.resolve("licences.tsv")).stream()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.split("\t"))
            .toList();
    StringBuilder table = new StringBuilder();
    List<String> texts = new ArrayList<>(List.of("jars.tsv"));
    for (String jar : libraries.foreign()) {
      Optional<String[]> licence =
          known.stream().filter(columns -> jar.startsWith(columns[0])).findFirst();
      if (licence.isEmpty()) {
        Installer.say("no licence is noted for " + jar + " in licences.tsv");
      }
      table
          .append(jar)
          .append('\t')
          .append(licence.map(columns -> columns[1] + "\t" + columns[2]).orElse("?\t?"))
          .append('\n');
      texts.addAll(texts(libraries, jar, share.resolve("licences")));
    }
    Trees.write(share.resolve("licences/jars.tsv"), table.toString(), "rw-r--r--");
    Trees.keepOnly(share.resolve("licences"), texts);
  }

  private static List<String> texts(Libraries libraries, String jar, Path directory)
      throws IOException {
    List<String> written = new ArrayList<>();
    try (JarFile file = new JarFile(libraries.path(jar).toFile())) {
      for (ZipEntry entry :
          file.stream()
              .filter(e -> e.getName().matches("(META-INF/)?(LICENSE|NOTICE)(\\.txt)?"))
              .toList()) {
        String name =
            jar.replaceFirst("\\.jar$", "")
                + "-"
                + entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        Trees.write(
            directory.resolve(name), file.getInputStream(entry).readAllBytes(), "rw-r--r--");
        written.add(name);
      }
    }
    return written;
  }
}
