package dev.peapod.linux.cgroup;

import dev.peapod.linux.KernelFiles;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/// One control group. Thread-safe; it holds nothing open.
public interface Cgroup {
  /// From the root of the hierarchies, such as `/peapod/pod-1`.
  String path();

  /// The cgroups that [Cgroups#create(String)] made for this one, the highest first, this one
  /// included; none where all existed, or after [Cgroups#open(String)].
  List<String> created();

  /// Sets those limits that are given, and leaves the others.
  ///
  /// If one is refused, all are as before.
  ///
  /// @throws PeapodException INVALID if a controller that a limit needs is absent (named), or the
  ///     kernel refuses the value; FAILED_PRECONDITION for memory below what is in use
  /// @throws KernelException if it fails otherwise
  void apply(CgroupLimits limits);

  /// Lets its processes use these devices and no others; cgroups that are made below it inherit that. Does nothing without
  /// the controller.
  ///
  /// @param rules such as `c 1:3 rwm`: what (`b` or `c`), which (`*` for any number), and how: read, write, make
  /// @throws KernelException EINVAL if there are cgroups below it already
  void restrictDevices(List<String> rules);

  /// The files to which a single-threaded process writes `0` to enter, besides
  /// [#intoDirectory()].
  List<String> enterFiles();

  /// The directory for a birth inside by `CLONE_INTO_CGROUP` (or for a `0` to its `cgroup.procs`);
  /// none on a machine without cgroup2.
  Optional<String> intoDirectory();

  /// The file to which `1` is written to kill all that is in it and below; none on a machine
  /// without cgroup2.
  Optional<String> killFile();

  /// The version-1 freezer's directory, for killing where there is no [#killFile()].
  Optional<String> freezerDirectory();

  /// Where the kernel counts processes of it that were killed for want of memory; none without the
  /// controller.
  Optional<KernelCounter> oomCounter();

  /// Where the kernel counts how often this cgroup's own limits of memory, not those above it, were
  /// hit: in version 1 whenever something had to be freed or killed, in version 2 when killing was
  /// all that was left. Of memory and swap together, newer kernels count nothing. None without the controller.
  List<KernelCounter> limitCounters();

  /// How many processes, of this cgroup alone, were killed for want of memory; 0 without the
  /// controller.
  default long oomKills() {
    return oomCounter().map(KernelCounter::value).orElse(0L);
  }

  /// A part of this cgroup that a program inside is to see.
  ///
  /// @param name the directory that it is seen at, below `/sys/fs/cgroup`; `""` for that itself
  /// @param directory where the host has it
  record Mounted(String name, String directory) {}

  /// What is mounted for a program inside to see.
  List<Mounted> view();

  /// Makes a group below that is there to be killed by itself: it has no limits of its own, and where
  /// there is cgroup2 it is in that hierarchy alone. [#enterFiles()] and [#intoDirectory()] of it
  /// are complete; only those, killing, listing and removing are meant for it.
  Cgroup subgroup(String name);

  /// Sends SIGKILL to all that is in it and below, forks included; it does not wait for their end.
  void kill();

  /// The processes in it and below, in no order.
  List<Integer> processes();

  /// Removes it with all cgroups below it, trying again for some seconds while processes are
  /// ending: whether it is gone. What is gone already is fine.
  boolean remove();

  /// What is used now.
  default CgroupStats stats() {
    return stats(KernelFiles::readAtOnce);
  }

  /// As [#stats()].
  ///
  /// @param read reads a file by its path, as [KernelFiles#readAtOnce(String)] does
  CgroupStats stats(UnaryOperator<String> read);

  /// How many processes and threads are in it and below; empty where the kernel does not count them.
  ///
  /// @param read as for [#stats(UnaryOperator)]
  OptionalLong threads(UnaryOperator<String> read);
}
