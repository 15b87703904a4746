package dev.peapod.linux.cgroup;

import dev.peapod.linux.systemd.Systemd;

/// A scope of systemd that was handed over: what is in it is ours, and systemd removes it when no process is left.
final class Scope extends SystemdUnit {
  private final Systemd systemd;

  Scope(Systemd systemd, Cgroup plain) {
    super(plain);
    this.systemd = systemd;
  }

  @Override
  public boolean remove() {
    boolean gone = plain.remove();
    if (gone) {
      // It need not have noticed yet.
      systemd.stop(unit());
    }
    return gone;
  }
}
