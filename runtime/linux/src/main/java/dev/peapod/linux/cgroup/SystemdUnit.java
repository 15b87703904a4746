package dev.peapod.linux.cgroup;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/// The cgroup of a unit of systemd, which is read like any other.
abstract sealed class SystemdUnit implements Cgroup permits Slice, Scope {
  final Cgroup plain;

  SystemdUnit(Cgroup plain) {
    this.plain = plain;
  }

  /// Its name.
  String unit() {
    return SliceNames.unit(path());
  }

  /// Where the host has it.
  String directory() {
    return plain.intoDirectory().orElseThrow();
  }

  @Override
  public String path() {
    return plain.path();
  }

  @Override
  public List<String> created() {
    return plain.created();
  }

  @Override
  public void apply(CgroupLimits limits) {
    plain.apply(limits);
  }

  @Override
  public void restrictDevices(List<String> rules) {
    plain.restrictDevices(rules);
  }

  @Override
  public List<String> enterFiles() {
    return plain.enterFiles();
  }

  @Override
  public Optional<String> intoDirectory() {
    return plain.intoDirectory();
  }

  @Override
  public Optional<String> killFile() {
    return plain.killFile();
  }

  @Override
  public Optional<String> freezerDirectory() {
    return plain.freezerDirectory();
  }

  @Override
  public Optional<KernelCounter> oomCounter() {
    return plain.oomCounter();
  }

  @Override
  public List<KernelCounter> limitCounters() {
    return plain.limitCounters();
  }

  @Override
  public List<Mounted> view() {
    return plain.view();
  }

  @Override
  public Cgroup subgroup(String name) {
    return plain.subgroup(name);
  }

  @Override
  public void kill() {
    plain.kill();
  }

  @Override
  public List<Integer> processes() {
    return plain.processes();
  }

  @Override
  public CgroupStats stats(UnaryOperator<String> read) {
    return plain.stats(read);
  }

  @Override
  public OptionalLong threads(UnaryOperator<String> read) {
    return plain.threads(read);
  }
}
