package dev.peapod.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes what an installation's `share` has of the client: manual pages, and completions where shells look for them.
public final class ShareFiles {
  private ShareFiles() {}

  /// The only argument: the directory.
  public static void main(String[] arguments) throws IOException {
    for (Map.Entry<String, String> file : all().entrySet()) {
      Path path = Path.of(arguments[0]).resolve(file.getKey());
      Files.createDirectories(path.resolveSibling("."));
      Files.writeString(path, file.getValue());
    }
  }

  /// Contents by path.
  static Map<String, String> all() {
    Map<String, String> files = new LinkedHashMap<>();
    ManPage.of(Main.line(""), Version.own())
        .forEach((name, page) -> files.put("man/man1/" + name + ".1", page));
    files.put("bash-completion/completions/peapod", Completion.script(Completion.Shell.bash));
    files.put("zsh/site-functions/_peapod", Completion.script(Completion.Shell.zsh));
    files.put("fish/vendor_completions.d/peapod.fish", Completion.script(Completion.Shell.fish));
    return files;
  }
}
