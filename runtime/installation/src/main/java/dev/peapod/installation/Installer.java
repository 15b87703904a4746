package dev.peapod.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;

/// Makes `target/peapod` and its archive from the built modules. What is up to date is not made again.
public final class Installer {
  private Installer() {}

  /// Arguments: the version, this module's directory, the root of the build, the directory of the native programs.
  public static void main(String[] arguments) throws IOException, InterruptedException {
    String version = arguments[0];
    Path module = Path.of(arguments[1]);
    Path target = Path.of(arguments[2]).resolve("target");
    Path nativePrograms = Path.of(arguments[3]);
    Path home = target.resolve("peapod");
    Path work = module.resolve("target");

    Stamp stamp = new Stamp(work.resolve("stamps"));
    Libraries libraries =
        Libraries.install(
            work.resolve("dependency"), work.resolve("jars"), home.resolve("lib"));
    RuntimeImage.install(libraries, version, home.resolve("runtime"), work, stamp);
    for (String program : List.of("pause", "joiner")) {
      Path built = nativePrograms.resolve(program);
      if (Files.exists(built)) {
        Trees.copy(built, home.resolve("libexec/peapod").resolve(program), "rwxr-xr-x");
      } else {
        say("no native program " + built + ": this installation can not run pods");
      }
    }
    for (Program program : Program.values()) {
      Path script = home.resolve("bin").resolve(program.command());
      Trees.write(
          script, libraries.fill(module.resolve("src/main/sh"), program), "rwxr-xr-x");
    }
    Licences.install(module.resolve("src/main/share"), libraries, home.resolve("share"));
    Trees.copy(
        module.resolve("src/main/share/peapodd.service"),
        home.resolve("share/peapodd.service"),
        "rw-r--r--");
    ClientFiles.install(home, libraries, stamp);
    new Training(home, work, stamp).run();
    for (Program program : Program.values()) {
      // Says to those who compare times with the sources' that all of it is up to date.
      Files.setLastModifiedTime(
          home.resolve("bin").resolve(program.command()), FileTime.from(Instant.now()));
    }
    Archive.write(
        home,
        target.resolve("peapod-%s-linux-%s.tar.gz".formatted(version, Platform.current().name())),
        stamp);
  }

  static void say(String message) {
    System.out.println("installation: " + message);
  }
}
