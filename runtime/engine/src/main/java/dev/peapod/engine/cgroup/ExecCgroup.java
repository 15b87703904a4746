package dev.peapod.engine.cgroup;

import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.Operation;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A cgroup below a container's, for one command in it, so that all that the command starts can be
/// killed.
///
/// Where there is a cgroup2 hierarchy it is made in that one alone: the command shares the
/// container's controllers of version 1, which limit it like the rest.
public sealed interface ExecCgroup extends AutoCloseable {
  /// Makes one.
  static ExecCgroup make(Cgroups cgroups, String container, String name) {
    Cgroup parent = cgroups.open(container);
    Optional<String> into = parent.intoDirectory();
    if (into.isPresent() && cgroups.version() == 1) {
      Path directory = Path.of(into.get(), name);
      try {
        Files.createDirectory(directory);
      } catch (IOException e) {
        throw PeapodException.internal("making the cgroup " + directory + " failed: " + e, e);
      }
      return new Unified(directory, parent);
    }
    return new Everywhere(cgroups.create(container + "/" + name));
  }

  /// How the command enters it.
  CgroupEntry entry();

  /// Kills all that is in it.
  void kill();

  /// Removes it if nothing is left in it; else it goes with the container.
  @Override
  void close();

  /// In the cgroup2 hierarchy of a hybrid machine.
  record Unified(Path directory, Cgroup parent) implements ExecCgroup {
    private static final Logger LOG = System.getLogger(ExecCgroup.class.getName());

    @Override
    public CgroupEntry entry() {
      Path kill = directory.resolve("cgroup.kill");
      return new CgroupEntry(
          Optional.of(directory.toString()),
          parent.enterFiles(),
          new Operation.KillCgroup(Operation.KillKind.KILL_FILE, kill.toString()),
          Optional.empty());
    }

    @Override
    public void kill() {
      try {
        Files.writeString(directory.resolve("cgroup.kill"), "1");
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "killing " + directory, e);
      }
    }

    @Override
    public void close() {
      try {
        Files.deleteIfExists(directory);
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "{0} stays until its container goes", directory);
      }
    }
  }

  /// In every hierarchy.
  record Everywhere(Cgroup cgroup) implements ExecCgroup {
    @Override
    public CgroupEntry entry() {
      return CgroupEntries.of(cgroup);
    }

    @Override
    public void kill() {
      cgroup.kill();
    }

    @Override
    public void close() {
      if (cgroup.processes().isEmpty()) {
        cgroup.remove();
      }
    }
  }
}
