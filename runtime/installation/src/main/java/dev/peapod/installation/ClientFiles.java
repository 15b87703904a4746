package dev.peapod.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The client's manual pages and completions in `share`, written by the client from its own commands.
final class ClientFiles {
  private static final String WRITER = "dev.peapod.cli.ShareFiles";

  private ClientFiles() {}

  static void install(Path home, Libraries libraries, Stamp stamp)
      throws IOException, InterruptedException {
    Path jar = libraries.path(libraries.only("peapod-cli-"));
    String madeFrom = jar.getFileName() + " " + Files.getLastModifiedTime(jar).toMillis();
    Path share = home.resolve("share");
    if (Files.exists(share.resolve("man")) && stamp.matches("client-files", madeFrom)) {
      return;
    }
    stamp.clear("client-files");
    for (String part : List.of("man", "bash-completion", "zsh", "fish")) {
      Trees.delete(share.resolve(part));
    }
    int status =
        new ProcessBuilder(
                home.resolve("runtime/bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-m",
                ApplicationModule.NAME + "/" + WRITER,
                share.toString())
            .inheritIO()
            .start()
            .waitFor();
    if (status != 0) {
      throw new IOException(WRITER + " failed with " + status);
    }
    stamp.set("client-files", madeFrom);
  }
}
