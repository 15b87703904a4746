package dev.peapod.linux.cgroup;

import dev.peapod.linux.KernelFiles;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;

/// A cgroup of a hybrid machine's cgroup2 hierarchy alone. For the controllers of version 1 its processes are those of
/// the cgroup above.
record Subgroup(CgroupV1 above, String unified, String name) implements Cgroup {
  private String directory() {
    return unified + path();
  }

  @Override
  public String path() {
    return above.path() + "/" + name;
  }

  @Override
  public List<String> created() {
    return List.of(path());
  }

  @Override
  public void apply(CgroupLimits limits) {
    throw noLimits();
  }

  @Override
  public void restrictDevices(List<String> rules) {
    throw noLimits();
  }

  private static UnsupportedOperationException noLimits() {
    return new UnsupportedOperationException("a subgroup has no limits of its own");
  }

  @Override
  public List<String> enterFiles() {
    return above.enterFiles();
  }

  @Override
  public Optional<String> intoDirectory() {
    return Optional.of(directory());
  }

  @Override
  public Optional<String> killFile() {
    return Optional.of(directory() + "/cgroup.kill");
  }

  @Override
  public Optional<String> freezerDirectory() {
    return Optional.empty();
  }

  @Override
  public Optional<KernelCounter> oomCounter() {
    return Optional.empty();
  }

  @Override
  public List<KernelCounter> limitCounters() {
    return List.of();
  }

  @Override
  public List<Mounted> view() {
    return above.view();
  }

  @Override
  public Cgroup subgroup(String below) {
    KernelFiles.makeDirectory(directory() + "/" + below);
    return new Subgroup(above, unified, name + "/" + below);
  }

  @Override
  public void kill() {
    CgroupFiles.kill(directory() + "/cgroup.kill");
  }

  @Override
  public List<Integer> processes() {
    Set<Integer> pids = new HashSet<>();
    CgroupFiles.collect(directory(), pids);
    return List.copyOf(pids);
  }

  @Override
  public boolean remove() {
    return CgroupFiles.remove(List.of(directory()));
  }

  @Override
  public CgroupStats stats(UnaryOperator<String> read) {
    return above.stats(read);
  }

  @Override
  public OptionalLong threads(UnaryOperator<String> read) {
    return above.threads(read);
  }
}
