package dev.peapod.linux.cgroup;

/// The path of a cgroup, and how those below it are named.
public record CgroupName(CgroupDriver driver, String path) {
  /// That of a cgroup in this one.
  public CgroupName child(String name) {
    return new CgroupName(driver, driver.child(path, name));
  }
}
