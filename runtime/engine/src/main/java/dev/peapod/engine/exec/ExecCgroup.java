package dev.peapod.engine.exec;

import dev.peapod.linux.cgroup.Cgroup;

/// The cgroup of one command, so that all that it starts can be killed; removed if nothing is left in it,
/// else it goes with the container.
record ExecCgroup(Cgroup cgroup) implements AutoCloseable {
  void kill() {
    cgroup.kill();
  }

  @Override
  public void close() {
    if (cgroup.processes().isEmpty()) {
      cgroup.remove();
    }
  }
}
