package dev.peapod.engine;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The cgroup that pods are placed in which name no parent. Which levels of it the engine made is
/// written down, so that a later daemon removes those and no others.
final class RootCgroup {
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Cgroups cgroups;
  private final Path file;

  private RootCgroup(Cgroups cgroups, Path file) {
    this.cgroups = cgroups;
    this.file = file;
  }

  static RootCgroup make(Cgroups cgroups, String path, StateDirectories directories) {
    Path file = directories.state().resolve("cgroup");
    Cgroup cgroup = cgroups.create(path);
    try {
      if (cgroup.created().contains(path)) {
        Files.deleteIfExists(file);
        Files.createFile(file, OWNER_ONLY);
        Files.write(file, cgroup.created());
      }
      return new RootCgroup(cgroups, file);
    } catch (IOException e) {
      throw PeapodException.internal("writing " + file + " failed: " + e, e);
    }
  }

  /// Removes the levels that were made, as far as nothing is in them.
  void remove() throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    List<String> levels = Files.readAllLines(file);
    for (String level : levels.reversed()) {
      Cgroup cgroup = cgroups.open(level);
      if (!cgroup.processes().isEmpty() || !cgroup.remove()) {
        return;
      }
    }
    Files.deleteIfExists(file);
  }
}
