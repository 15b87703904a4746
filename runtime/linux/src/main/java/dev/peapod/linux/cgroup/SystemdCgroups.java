package dev.peapod.linux.cgroup;

import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.systemd.Property;
import dev.peapod.linux.systemd.Systemd;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Version 2 on a machine whose cgroups belong to systemd: slices and scopes are its units, made, changed and removed by
/// asking it, and what is in a scope has been handed over to us.
///
/// A path has slices, then perhaps a scope, then directories, as in `/a.slice/a-b.slice/c.scope/d`. Processes can be
/// below scopes alone.
public final class SystemdCgroups implements Cgroups {
  private final CgroupsV2 unified;
  private final Systemd systemd;

  /// @param unified the machine's hierarchy
  public SystemdCgroups(CgroupsV2 unified, Systemd systemd) {
    this.unified = unified;
    this.systemd = systemd;
  }

  @Override
  public int version() {
    return unified.version();
  }

  @Override
  public Set<String> controllers() {
    return unified.controllers();
  }

  @Override
  public CgroupDriver driver() {
    return CgroupDriver.SYSTEMD;
  }

  /// As declared; only slices can be made here, and what is below a scope that is there.
  @Override
  public Cgroup create(String path) {
    if (!path.endsWith(SliceNames.SLICE)) {
      return unified.create(path);
    }
    List<String> made = new ArrayList<>();
    try {
      for (String level : SliceNames.levels(path)) {
        if (!KernelFiles.isDirectory(unified.open(level).intoDirectory().orElseThrow())) {
          systemd.start(
              SliceNames.unit(level),
              List.of(
                  Property.of("Description", "Pods of Peapod"),
                  Property.of("DefaultDependencies", false)));
          made.add(level);
        }
      }
      // systemd hands controllers down as its units need them, and knows nothing of some.
      return new Slice(systemd, unified.create(path), made);
    } catch (RuntimeException e) {
      for (String level : made.reversed()) {
        try {
          open(level).remove();
        } catch (RuntimeException again) {
          e.addSuppressed(again);
        }
      }
      throw e;
    }
  }

  /// Makes a scope in a slice, with a process in it that has no part in what it is for: the scope is there as long as
  /// any process is in it.
  ///
  /// @param path of the scope
  /// @param pid the process, which ends up in a group of its own below
  public Cgroup createScope(String path, int pid) {
    String slice = path.substring(0, path.lastIndexOf('/'));
    systemd.start(
        SliceNames.unit(path),
        List.of(
            Property.of("Description", "A pod of Peapod"),
            Property.of("Slice", SliceNames.unit(slice)),
            Property.of("DefaultDependencies", false),
            Property.of("Delegate", true),
            // Its own default would be a share of what the machine can have.
            Property.of("TasksMax", Property.INFINITY),
            new Property("PIDs", new Property.Numbers(List.of(pid)))));
    Cgroup scope = open(path);
    // With a process in the scope itself, nothing below it could have limits.
    Cgroup aside = scope.subgroup("starting");
    KernelFiles.write(aside.intoDirectory().orElseThrow() + "/cgroup.procs", Integer.toString(pid));
    return scope;
  }

  @Override
  public Cgroup open(String path) {
    Cgroup plain = unified.open(path);
    if (path.endsWith(SliceNames.SLICE)) {
      return new Slice(systemd, plain, List.of());
    }
    return path.endsWith(SliceNames.SCOPE) ? new Scope(systemd, plain) : plain;
  }
}
