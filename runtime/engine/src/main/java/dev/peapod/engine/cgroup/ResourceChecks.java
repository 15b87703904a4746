package dev.peapod.engine.cgroup;

import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.error.PeapodException;
import java.util.Map;
import java.util.regex.Pattern;

/// Refuses limits that no machine could hold to; what this one can not, the kernel says.
public final class ResourceChecks {
  private static final long LEAST_SHARES = 2;
  private static final long MOST_SHARES = 262_144;
  private static final long LEAST_PERIOD = 1_000;
  private static final long MOST_PERIOD = 1_000_000;
  private static final Pattern SET = Pattern.compile("[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*");
  private static final Pattern PAGE_SIZE = Pattern.compile("[1-9][0-9]*[KMG]B");
  private static final Pattern UNIFIED = Pattern.compile("[a-z]+\\.[a-zA-Z0-9_.]+");

  private final String whose;

  private ResourceChecks(String whose) {
    this.whose = whose;
  }

  /// @param whose such as `container "web"`
  /// @throws PeapodException INVALID naming the field
  public static void check(String whose, ResourceSpec resources) {
    new ResourceChecks(whose).check(resources);
  }

  private void check(ResourceSpec r) {
    range("cpu_period", r.cpuPeriod(), LEAST_PERIOD, MOST_PERIOD);
    require(
        r.cpuQuota() <= 0 || r.cpuQuota() >= LEAST_PERIOD,
        "cpu_quota",
        "is " + r.cpuQuota() + ", less than " + LEAST_PERIOD);
    range("cpu_shares", r.cpuShares(), LEAST_SHARES, MOST_SHARES);
    require(r.memoryLimit() >= 0, "memory_limit_in_bytes", "is negative");
    require(
        r.memorySwapLimit() <= 0 || r.memoryLimit() > 0,
        "memory_swap_limit_in_bytes",
        "needs a memory_limit_in_bytes");
    require(
        r.memorySwapLimit() <= 0 || r.memorySwapLimit() >= r.memoryLimit(),
        "memory_swap_limit_in_bytes",
        "is less than memory_limit_in_bytes");
    require(
        r.oomScoreAdj() >= -1000 && r.oomScoreAdj() <= 1000,
        "oom_score_adj",
        "is " + r.oomScoreAdj() + ", not between -1000 and 1000");
    set("cpuset_cpus", r.cpusetCpus());
    set("cpuset_mems", r.cpusetMems());
    for (Map.Entry<String, Long> limit : r.hugepages().entrySet()) {
      String size = limit.getKey();
      require(
          PAGE_SIZE.matcher(size).matches(),
          "hugepage_limits",
          "has \"" + size + "\", which is not a page size such as 2MB");
      require(limit.getValue() >= 0, "hugepage_limits", "of " + size + " is negative");
    }
    for (Map.Entry<String, String> value : r.unified().entrySet()) {
      String file = value.getKey();
      // By the core's files processes are moved and killed; they limit nothing.
      require(
          UNIFIED.matcher(file).matches() && !file.startsWith("cgroup."),
          "unified",
          "has \"" + file + "\", which is not the name of a controller's file");
      require(
          value.getValue().chars().allMatch(c -> c == '\n' || c >= ' ' && c != 0x7f),
          "unified",
          "has control characters in the value of " + file);
    }
  }

  private void range(String field, long value, long least, long most) {
    require(
        value == 0 || value >= least && value <= most,
        field,
        "is " + value + ", not between " + least + " and " + most);
  }

  private void set(String field, String set) {
    require(
        set.isEmpty() || SET.matcher(set).matches(),
        field,
        "is \"" + set + "\", which is not a list such as 0-2,7");
  }

  private void require(boolean holds, String field, String what) {
    if (!holds) {
      throw PeapodException.invalid(whose + ": resources." + field + " " + what);
    }
  }
}
