package dev.peapod.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The tar.gz of the installation, with the modification times that its ahead-of-time caches need.
final class Archive {
  private Archive() {}

  static void write(Path home, Path archive, Stamp stamp) throws IOException, InterruptedException {
    String madeFrom = state(home);
    if (Files.exists(archive) && stamp.matches("archive", madeFrom)) {
      return;
    }
    Path temporary = archive.resolveSibling(archive.getFileName() + ".new");
    // A quick level: the better ones take ten times as long for a tenth less.
    Process tar =
        new ProcessBuilder(
                List.of(
                    "tar",
                    "--create",
                    "--use-compress-program=gzip -3",
                    "--file=" + temporary,
                    "--sort=name",
                    "--owner=0",
                    "--group=0",
                    "--numeric-owner",
                    "--transform=s,^peapod,"
                        + archive.getFileName().toString().replace(".tar.gz", "")
                        + ",",
                    "--directory=" + home.getParent(),
                    home.getFileName().toString()))
            .inheritIO()
            .start();
    if (tar.waitFor() != 0) {
      throw new IOException("tar failed with " + tar.exitValue());
    }
    Files.move(temporary, archive, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    stamp.set("archive", madeFrom);
  }

  private static String state(Path home) throws IOException {
    try (Stream<Path> files = Files.walk(home)) {
      List<Path> sorted = files.filter(Files::isRegularFile).sorted().toList();
      StringBuilder state = new StringBuilder();
      for (Path file : sorted) {
        state
            .append(
                Stream.of(
                        home.relativize(file).toString(),
                        Long.toString(Files.size(file)),
                        file.startsWith(home.resolve("bin"))
                            ? Files.readString(file)
                            : Files.getLastModifiedTime(file).toString())
                    .collect(Collectors.joining(" ")))
            .append('\n');
      }
      return state.toString();
    }
  }
}
