package dev.peapod.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Child;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.OpenDescriptors;
import dev.peapod.linux.Root;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every implementation of [Cgroups] does, shown with real processes.
abstract class CgroupsContract {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private Map<String, String> descriptors = Map.of();
  private final String top =
      "/pealinux-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();

  abstract Cgroups cgroups();

  @BeforeEach
  void before() throws Exception {
    Root.assumed();
    descriptors = OpenDescriptors.now();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    cgroups().open(top).kill();
    assertThat(cgroups().open(top).remove()).isTrue();
    OpenDescriptors.assertNoneSince(descriptors);
    Path mounts = Path.of("/sys/fs/cgroup");
    try (var found = Files.find(mounts, 3, (p, a) -> p.toString().endsWith(top))) {
      assertThat(found).isEmpty();
    }
  }

  /// Starts a command that enters as the runtime's helper does, then becomes `command`.
  private Child startInside(Cgroup cgroup, String command) throws Exception {
    List<String> files = new ArrayList<>(cgroup.enterFiles());
    cgroup.intoDirectory().ifPresent(d -> files.add(d + "/cgroup.procs"));
    assertThat(files).isNotEmpty();
    StringBuilder script = new StringBuilder("set -e; ");
    files.forEach(f -> script.append("echo 0 > ").append(f).append("; "));
    Child child = Child.start("bash", "-c", script + command);
    await()
        .until(
            () ->
                !child.process().isAlive()
                    || files.stream()
                        .allMatch(
                            f ->
                                KernelFiles.read(f).lines().anyMatch(("" + child.pid())::equals)));
    return child;
  }

  @Test
  void creatingTellsWhatItMadeAndRemovingTakesAllOfItAway() {
    Cgroup leaf = cgroups().create(top + "/a/b");
    assertThat(leaf.path()).isEqualTo(top + "/a/b");
    assertThat(leaf.created()).containsExactly(top, top + "/a", top + "/a/b");
    assertThat(cgroups().create(top + "/a/b").created()).isEmpty();
    assertThat(cgroups().create(top + "/a/c").created()).containsExactly(top + "/a/c");
    assertThat(cgroups().open(top + "/a/c").remove()).isTrue();
    assertThat(cgroups().open(top + "/a/c").remove()).isTrue();
    assertThat(directories(leaf)).isNotEmpty().allSatisfy(d -> assertThat(d).isDirectory());
    assertThat(cgroups().open(top).remove()).isTrue();
    assertThat(directories(leaf)).allSatisfy(d -> assertThat(d).doesNotExist());
  }

  private static List<Path> directories(Cgroup cgroup) {
    List<Path> all = new ArrayList<>();
    cgroup.enterFiles().forEach(f -> all.add(Path.of(f).getParent()));
    cgroup.intoDirectory().ifPresent(d -> all.add(Path.of(d)));
    return all;
  }

  @Test
  void pathsThatAreNoneAreRefused() {
    for (String path : List.of("", "/", "a", top + "/../x", top + "//x", top + "/", "/a\nb")) {
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroups().create(path))
          .matches(e -> e.kind() == PeapodException.Kind.INVALID);
    }
  }

  @Test
  void processesEnterAreListedAndKilledWithTheirDescendants() throws Exception {
    Cgroup upper = cgroups().create(top + "/upper");
    Cgroup other = cgroups().create(top + "/other");
    Cgroup both = cgroups().open(top);
    try (Child one = startInside(upper, "sleep 60 & setsid sleep 60 & sleep 60; exit 0");
        Child two = startInside(other, "exec sleep 60")) {
      await().until(() -> both.processes().size() == 5);
      assertThat(both.processes()).contains(one.pid(), two.pid());
      assertThat(other.processes()).containsExactly(two.pid());
      both.kill();
      assertThat(one.process().waitFor()).isEqualTo(128 + 9);
      assertThat(two.process().waitFor()).isEqualTo(128 + 9);
      assertThat(both.remove()).isTrue();
    }
    assertThat(both.processes()).isEmpty();
    both.kill();
    assertThat(both.remove()).isTrue();
  }

  @Test
  void aSubgroupIsKilledByItself() throws Exception {
    Cgroup cgroup = cgroups().create(top + "/one");
    try (Child main = startInside(cgroup, "exec sleep 60")) {
      Cgroup subgroup = cgroup.subgroup("part");
      try (Child part = startInside(subgroup, "sleep 60 & exec sleep 60")) {
        await().until(() -> subgroup.processes().size() == 2);
        subgroup.kill();
        assertThat(part.process().waitFor()).isEqualTo(128 + 9);
        assertThat(subgroup.remove()).isTrue();
      }
      assertThat(main.process().isAlive()).isTrue();
      assertThat(cgroup.processes()).containsExactly(main.pid());
      cgroup.kill();
    }
  }

  @Test
  void aForkBombIsKilled() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    cgroup.apply(CgroupLimits.builder().pids(60).build());
    try (Child bomb =
        startInside(
            cgroup, "bomb() { while :; do (bomb) 2>/dev/null & done; }; bomb 2>/dev/null")) {
      await().until(() -> cgroup.processes().size() > 30);
      cgroup.kill();
      bomb.process().waitFor();
      assertThat(cgroup.remove()).isTrue();
    }
  }

  @Test
  void removingIsRefusedAfterAWhileWhereSomebodyLives() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    try (Child child = startInside(cgroup, "exec sleep 60")) {
      Thread.currentThread().interrupt();
      assertThat(cgroup.remove()).isFalse();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(cgroup.processes()).containsExactly(child.pid());
    }
  }

  @Test
  void theMemoryLimitKillsAndTheKillIsCounted() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    cgroup.apply(
        CgroupLimits.builder().memoryBytes(16 << 20).memorySwapBytes(24 << 20).build());
    assertThat(cgroup.oomKills()).isZero();
    assertThat(Path.of(cgroup.oomCounter().orElseThrow().path())).isReadable();
    try (Child hog = startInside(cgroup, "exec tail /dev/zero")) {
      assertThat(hog.process().waitFor()).isEqualTo(128 + 9);
    }
    assertThat(cgroup.oomKills()).isEqualTo(1);
    assertThat(cgroup.limitCounters().stream().mapToLong(KernelCounter::value).sum()).isPositive();
    // Raised and lowered, in any order.
    for (long limit : new long[] {64 << 20, 8 << 20, 1L << 40}) {
      cgroup.apply(CgroupLimits.builder().memoryBytes(limit).memorySwapBytes(limit).build());
    }
    cgroup.apply(CgroupLimits.builder().memorySwapBytes(-1).memoryBytes(-1).build());
  }

  @Test
  void processorAndOtherLimitsAreTaken() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    cgroup.apply(CgroupLimits.NONE);
    cgroup.apply(
        CgroupLimits.builder()
            .cpuShares(512)
            .cpuPeriod(50_000)
            .cpuQuota(25_000)
            .cpusetCpus("0")
            .cpusetMems("0")
            .pids(20)
            .build());
    try (Child child =
        startInside(cgroup, "[ $(nproc) = 1 ] || exit 3; i=0; while :; do i=$((i+1)); done")) {
      await().until(() -> cgroup.stats().cpuNanos().orElseThrow() > 10_000_000);
      // The shell has waited for nproc.
      await().until(() -> cgroup.threads(KernelFiles::readAtOnce).orElseThrow() == 1);
      assertThat(child.process().isAlive()).isTrue();
      CgroupStats stats = cgroup.stats();
      assertThat(stats.memoryBytes().orElseThrow()).isPositive();
      assertThat(stats.workingSetBytes().orElseThrow())
          .isPositive()
          .isLessThanOrEqualTo(stats.memoryBytes().orElseThrow());
      assertThat(stats.rssBytes().orElseThrow()).isPositive();
      assertThat(stats.pageFaults().orElseThrow()).isPositive();
    }
    cgroup.apply(CgroupLimits.builder().cpuPeriod(1_000).cpuQuota(1_000).build());
    cgroup.apply(CgroupLimits.builder().cpuPeriod(100_000).cpuQuota(200_000).build());
    cgroup.apply(CgroupLimits.builder().cpuQuota(-1).pids(-1).build());
    try (Child child = startInside(cgroup, "for i in {1..40}; do sleep 60 & done; wait")) {
      await().until(() -> cgroup.processes().size() == 41);
      assertThat(child.process().isAlive()).isTrue();
      cgroup.kill();
    }
  }

  @Test
  void waitingForAProcessorIsPressure() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    assumeTrue(cgroup.stats().cpuPressure().isPresent(), "this kernel counts no pressure here");
    cgroup.apply(CgroupLimits.builder().cpusetCpus("0").cpusetMems("0").build());
    String loop = "while :; do :; done";
    try (Child one = startInside(cgroup, loop);
        Child other = startInside(cgroup, loop)) {
      await()
          .until(() -> cgroup.stats().cpuPressure().orElseThrow().some().totalMicros() > 10_000);
      assertThat(one.process().isAlive() && other.process().isAlive()).isTrue();
      assertThat(cgroup.stats().memoryPressure()).isPresent();
      assertThat(cgroup.stats().ioPressure()).isPresent();
    }
  }

  @Test
  void theProcessLimitHolds() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    cgroup.apply(CgroupLimits.builder().pids(1).build());
    try (Child child = startInside(cgroup, "exec dash -c '{ true & } 2>/dev/null; :'")) {
      assertThat(child.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(child.process().exitValue()).isNotZero();
    }
  }

  @Test
  void valuesThatTheKernelRefusesAreNamed() {
    Cgroup cgroup = cgroups().create(top);
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> cgroup.apply(CgroupLimits.builder().cpusetCpus("4000").build()))
        .withMessageContaining("4000")
        .matches(e -> e.kind() == PeapodException.Kind.INVALID);
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> cgroup.apply(CgroupLimits.builder().cpuQuota(5).build()))
        .withMessageContaining("= 5")
        .matches(e -> e.kind() == PeapodException.Kind.INVALID);
  }

  @Test
  void ifOneLimitIsRefusedAllAreAsBefore() {
    Cgroup cgroup = cgroups().create(top);
    cgroup.apply(CgroupLimits.builder().cpuShares(512).memoryBytes(64 << 20).pids(9).build());
    List<String> before = limits(cgroup);
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(
            () ->
                cgroup.apply(
                    CgroupLimits.builder()
                        .cpuShares(4000)
                        .memoryBytes(32 << 20)
                        .pids(3)
                        .cpusetCpus("4000")
                        .build()));
    assertThat(limits(cgroup)).isEqualTo(before);
  }

  /// What stands in the files of some limits.
  private static List<String> limits(Cgroup cgroup) {
    return directories(cgroup).stream()
        .flatMap(
            d ->
                List.of("cpu.shares", "cpu.weight", "memory.limit_in_bytes", "memory.max", "pids.max").stream()
                    .map(d::resolve))
        .filter(Files::exists)
        .map(f -> f + " " + KernelFiles.read(f.toString()))
        .toList();
  }

  @Test
  void hugePagesAreLimitedOrRefusedByName() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    CgroupLimits.Builder limits = CgroupLimits.builder();
    cgroup.apply(limits.hugepages(Map.of("2MB", 0L)).build());
    CgroupLimits some = limits.hugepages(Map.of("2MB", 4L << 20)).build();
    if (cgroups().controllers().contains("hugetlb")) {
      cgroup.apply(some);
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroup.apply(limits.hugepages(Map.of("3MB", 1L)).build()))
          .withMessageContaining("hugetlb.3MB");
    } else {
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroup.apply(some))
          .withMessageContaining("no cgroup controller \"hugetlb\"");
    }
  }

  @Test
  void devicesThatNoRuleNamesCanNotBeOpened() throws Exception {
    Cgroup cgroup = cgroups().create(top);
    cgroup.restrictDevices(List.of("c 1:3 rw", "c 1:5 r", "c *:* m"));
    String script =
        "cd /tmp; echo > /dev/null && head -c 1 /dev/zero > /dev/null || exit 3; "
            + "(echo > /dev/zero) 2>/dev/null && exit 4; "
            + "(head -c 1 /dev/urandom) > /dev/null 2>&1 && exit 5; "
            + "mknod $0.node c 1 9 && rm $0.node || exit 6; "
            + "mknod $0.node b 7 200 2>/dev/null && exit 7; exit 0";
    try (Child child = startInside(cgroup, script)) {
      assertThat(child.process().waitFor()).isZero();
    }
    cgroup.restrictDevices(List.of("c 1:3 rwm", "c 1:9 rw"));
    try (Child child =
        startInside(cgroup, "head -c 1 /dev/urandom > /dev/null && ! (head -c 1 /dev/zero) 2>/dev/null")) {
      assertThat(child.process().waitFor()).isZero();
    }
  }
}
