package dev.peapod.engine.checkpoint;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The program criu of the machine (criu(8)): where it is, how it is called, and what it says when it fails.
final class Criu {
  /// Its environment.
  static final List<String> ENVIRONMENT = List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

  private static final List<String> DIRECTORIES = List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin");
  private static final Pattern ERROR = Pattern.compile("Error \\([^)]*\\): *(.*)");
  private static final int MAX_LOG = 4 << 20;
  private static final int MAX_ERRORS = 4;

  /// Where it writes the number of what it has restored.
  static final String PID = "pid";

  private Criu() {}

  /// @throws PeapodException FAILED_PRECONDITION if it is not installed
  static String program() {
    String path = System.getenv("PATH");
    return Stream.concat(
            path == null ? Stream.empty() : Stream.of(path.split(":", -1)),
            DIRECTORIES.stream())
        .filter(directory -> directory.startsWith("/"))
        .map(directory -> Path.of(directory, "criu"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(
            () -> new PeapodException(Kind.FAILED_PRECONDITION, "criu is not installed (package criu)"))
        .toString();
  }

  /// The command that saves a process and all below it, which go on running.
  ///
  /// @param images an empty directory, for its images, its log `dump.log` and its statistics
  /// @param mounts where the process has mounts that are put there by others when it is restored
  static List<String> dump(int pid, Path images, List<String> mounts) {
    List<String> command = new ArrayList<>(List.of(program(), "dump"));
    command.addAll(List.of("--tree", Integer.toString(pid)));
    command.addAll(common(images, "dump.log"));
    command.addAll(List.of("--leave-running", "--ghost-limit", "64M"));
    for (String mount : mounts) {
      command.addAll(List.of("--external", "mnt[" + mount + "]:" + mount));
    }
    return command;
  }

  /// The command that restores processes as children of whoever starts it, and leaves them stopped.
  ///
  /// @param directory with the images; for its log and the number of the main process
  /// @param root where their root is mounted
  /// @param mounts where what is mounted in it comes from, by its place
  /// @param pipes which pipe 0, 1 and 2 stand for, `""` for none
  /// @param apparmor the profile that confines them
  static List<String> restore(
      Path directory,
      Path root,
      Map<String, String> mounts,
      List<String> pipes,
      Optional<String> apparmor) {
    List<String> command = new ArrayList<>(List.of(program(), "restore"));
    command.addAll(common(directory.resolve(Layout.IMAGES), Layout.RESTORE_LOG));
    command.addAll(List.of("--work-dir", directory.toString(), "--root", root.toString()));
    command.addAll(List.of("--pidfile", directory.resolve(PID).toString()));
    command.addAll(List.of("--restore-detached", "--restore-sibling", "--leave-stopped"));
    mounts.forEach(
        (path, source) -> command.addAll(List.of("--external", "mnt[" + path + "]:" + source)));
    for (int fd = 0; fd < pipes.size(); fd++) {
      if (!pipes.get(fd).isEmpty()) {
        command.addAll(List.of("--inherit-fd", "fd[" + fd + "]:" + pipes.get(fd)));
      }
    }
    apparmor.ifPresent(profile -> command.addAll(List.of("--lsm-profile", "apparmor:" + profile)));
    return command;
  }

  private static List<String> common(Path images, String log) {
    return List.of(
        "--images-dir",
        images.toString(),
        "--log-file",
        log,
        "--manage-cgroups=ignore",
        "--file-locks",
        "--tcp-close");
  }

  /// Why it failed, in its own words.
  ///
  /// @param said its log, and what it wrote before it had one
  static String reason(Path... said) {
    Set<String> errors = new LinkedHashSet<>();
    for (Path file : said) {
      read(file)
          .lines()
          .map(ERROR::matcher)
          .filter(Matcher::find)
          .map(found -> found.group(1).strip())
          .filter(text -> !text.isEmpty())
          .forEach(errors::add);
    }
    if (errors.isEmpty()) {
      return "it does not say why";
    }
    return String.join("; ", errors.stream().limit(MAX_ERRORS).toList());
  }

  private static String read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_LOG), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      return "Error (): " + file.getFileName() + " can not be read: " + e.getMessage();
    }
  }
}
