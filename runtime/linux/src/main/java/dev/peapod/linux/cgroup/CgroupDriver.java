package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.systemd.Systemd;
import java.util.Arrays;
import java.util.stream.Collectors;

/// Whose the machine's cgroups are, which decides how they are named.
public enum CgroupDriver {
  /// Directories, made where a path says.
  CGROUPFS {
    @Override
    public Cgroups open() {
      return Cgroups.detect();
    }

    @Override
    public String path(String given) {
      if (given.endsWith(SliceNames.SLICE)) {
        throw PeapodException.invalid(
            "\"" + given + "\" is a systemd slice; the cgroup driver here is cgroupfs, which takes paths");
      }
      return "/"
          + Arrays.stream(given.split("/")).filter(p -> !p.isEmpty()).collect(Collectors.joining("/"));
    }

    @Override
    public String child(String parent, String name) {
      return parent + "/" + name;
    }

    @Override
    public String members(String path, String id) {
      return path;
    }
  },

  /// Slices and scopes, made by systemd.
  SYSTEMD {
    @Override
    public Cgroups open() {
      if (!(Cgroups.detect() instanceof CgroupsV2 unified)) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            "the cgroup driver systemd needs a machine with cgroup version 2 alone; this one has version 1");
      }
      if (!Systemd.isThere()) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            "the cgroup driver systemd needs systemd, which did not start this machine");
      }
      return new SystemdCgroups(unified, new Systemd(Systemd.SOCKET));
    }

    @Override
    public String path(String given) {
      return SliceNames.expand(given);
    }

    @Override
    public String child(String parent, String name) {
      return SliceNames.child(parent, name);
    }

    @Override
    public String members(String path, String id) {
      return path + "/peapod-" + id + SliceNames.SCOPE;
    }
  };

  /// The machine's cgroups.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if they are not such that this driver can have them
  public abstract Cgroups open();

  /// The path of a pod's cgroup, or of that of all pods, as somebody has named it.
  ///
  /// @param given a path, or for systemd the name of a slice, or its path
  /// @throws PeapodException INVALID if it is not such a name
  public abstract String path(String given);

  /// The path of a cgroup in another one.
  public abstract String child(String parent, String name);

  /// The cgroup that the processes of a pod are below: the pod's own, unless that is a slice.
  ///
  /// @param path of the pod's
  /// @param id that of its sandbox
  public abstract String members(String path, String id);
}
