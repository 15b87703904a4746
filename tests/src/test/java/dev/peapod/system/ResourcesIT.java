package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.HugepageLimit;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesRequest;
import dev.peapod.proto.runtime.v1.UpdatePodSandboxResourcesRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What containers and pods may use, and what happens when they use more. Runs on the machine itself and in the guest.
@SuppressWarnings("NullAway.Init")
class ResourcesIT extends SystemTest {
  private static final long MIB = 1 << 20;
  private static final String[] HOARD = {"awk", "BEGIN { x = \"x\"; while (1) x = x x }"};

  private CriPods cri;

  @BeforeAll
  void useTheLoadedImage() {
    cri = new CriPods(peapod::podsCri, peapod.directory().resolve("cri-logs"), Fixtures.BUSYBOX);
  }

  private static LinuxContainerResources.Builder resources() {
    return LinuxContainerResources.newBuilder();
  }

  private ContainerConfig.Builder limited(
      LinuxContainerResources.Builder resources, String... command) {
    ContainerConfig.Builder container = cri.container("main", command);
    container.getLinuxBuilder().setResources(resources);
    return container;
  }

  private PodSandboxConfig.Builder below(String name, String parent) {
    PodSandboxConfig.Builder sandbox = cri.sandbox(name);
    sandbox.getLinuxBuilder().setCgroupParent(peapod.cgroup() + parent);
    return sandbox;
  }

  private int pid(String command) {
    return await()
        .atMost(Patience.ofSeconds(60))
        .until(() -> PodProcesses.of(peapod, command), found -> !found.isEmpty())
        .getFirst()
        .pid();
  }

  private void update(String container, LinuxContainerResources.Builder resources) {
    peapod
        .podsCri()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(container)
                .setLinux(resources)
                .build());
  }

  @Test
  void limitsAreInTheCgroupAndChangeWhileItRuns() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("limited"),
            limited(
                resources()
                    .setCpuShares(2048)
                    .setCpuPeriod(50_000)
                    .setCpuQuota(20_000)
                    .setCpusetCpus("0")
                    .setCpusetMems("0")
                    .setMemoryLimitInBytes(64 * MIB)
                    .setMemorySwapLimitInBytes(64 * MIB)
                    .setOomScoreAdj(321),
                "sleep",
                "100101"));
    int pid = pid("sleep 100101");
    assertThat(ProcessCgroup.file(pid, "cpu.shares", "cpu.weight"))
        .isEqualTo(ProcessCgroup.IS_V2 ? "174" : "2048");
    assertThat(ProcessCgroup.file(pid, "cpu.cfs_quota_us", "cpu.max")).startsWith("20000");
    assertThat(ProcessCgroup.file(pid, "cpu.cfs_period_us", "cpu.max")).endsWith("50000");
    assertThat(ProcessCgroup.file(pid, "cpuset.cpus", "cpuset.cpus")).isEqualTo("0");
    assertThat(ProcessCgroup.file(pid, "cpuset.mems", "cpuset.mems")).isEqualTo("0");
    assertThat(memory(pid)).isEqualTo("" + 64 * MIB);
    assertThat(score(pid)).isEqualTo("321");

    update(
        pod.container(),
        resources()
            .setCpuQuota(-1)
            .setMemoryLimitInBytes(96 * MIB)
            .setMemorySwapLimitInBytes(96 * MIB)
            .setOomScoreAdj(400));
    assertThat(memory(pid)).isEqualTo("" + 96 * MIB);
    assertThat(ProcessCgroup.file(pid, "cpu.cfs_quota_us", "cpu.max")).matches("-1|max 50000");
    assertThat(ProcessCgroup.file(pid, "cpuset.cpus", "cpuset.cpus")).isEqualTo("0");
    assertThat(score(pid)).isEqualTo("400");
    LinuxContainerResources now = cri.status(pod.container()).getResources().getLinux();
    assertThat(now.getMemoryLimitInBytes()).isEqualTo(96 * MIB);
    assertThat(now.getCpuShares()).isEqualTo(2048);

    // Of an update that is refused nothing is done.
    refused(
        () -> update(pod.container(), resources().setCpuShares(4096).setCpusetCpus("4000")),
        "cpuset.cpus");
    refused(
        () -> update(pod.container(), resources().setMemoryLimitInBytes(128 * MIB)),
        "memory_swap_limit_in_bytes");
    assertThat(ProcessCgroup.file(pid, "cpu.shares", "cpu.weight"))
        .isEqualTo(ProcessCgroup.IS_V2 ? "174" : "2048");
    assertThat(memory(pid)).isEqualTo("" + 96 * MIB);
    assertThat(cri.status(pod.container()).getResources().getLinux()).isEqualTo(now);
    cri.remove(pod.sandbox());
  }

  private static String memory(int pid) {
    return ProcessCgroup.file(pid, "memory.limit_in_bytes", "memory.max");
  }

  private static String score(int pid) {
    return ProcessCgroup.read(java.nio.file.Path.of("/proc/" + pid + "/oom_score_adj"));
  }

  private static void refused(Runnable call, String field) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .hasMessageContaining(field);
  }

  @Test
  void whatNoMachineCouldHoldToIsRefusedByName() {
    Map<String, LinuxContainerResources.Builder> bad = new LinkedHashMap<>();
    bad.put("cpu_period", resources().setCpuPeriod(-1));
    bad.put("cpu_quota", resources().setCpuQuota(5));
    bad.put("cpu_shares", resources().setCpuShares(300_000));
    bad.put("memory_limit_in_bytes is neg", resources().setMemoryLimitInBytes(-2));
    bad.put("memory_limit_in_bytes", resources().setMemorySwapLimitInBytes(MIB));
    bad.put(
        "memory_swap_limit_in_bytes",
        resources().setMemoryLimitInBytes(64 * MIB).setMemorySwapLimitInBytes(MIB));
    bad.put("oom_score_adj", resources().setOomScoreAdj(1001));
    bad.put("oom_score_adj is 4", resources().setOomScoreAdj(4_294_967_296L));
    bad.put("cpuset_cpus", resources().setCpusetCpus("zero"));
    bad.put("cpuset.cpus", resources().setCpusetCpus("4000"));
    bad.put("cpuset.mems", resources().setCpusetMems("63"));
    bad.put("hugepage_limits", resources().addHugepageLimits(page("two", 1)));
    bad.put("hugetlb", resources().addHugepageLimits(page("3MB", MIB)));
    bad.put(
        "twice", resources().addHugepageLimits(page("2MB", 0)).addHugepageLimits(page("2MB", 1)));
    bad.put("cgroup.procs", resources().putUnified("cgroup.procs", "1"));
    bad.put("../cpu.max", resources().putUnified("../cpu.max", "1"));
    bad.put("memory.nothing", resources().putUnified("memory.nothing", "1"));
    String sandbox = cri.run(cri.sandbox("refusing"));
    bad.forEach(
        (field, resources) ->
            refused(
                () -> cri.create(sandbox, cri.sandbox("refusing"), limited(resources, "true")),
                field));
    for (String parent : List.of("/../x", "/", "/a/./b", "a\nb", "pods.slice")) {
      PodSandboxConfig.Builder config = cri.sandbox("parent");
      config.getLinuxBuilder().setCgroupParent(parent);
      refused(() -> cri.run(config), "cgroup_parent");
    }
    PodSandboxConfig.Builder config = cri.sandbox("parent");
    config.getLinuxBuilder().setResources(resources().setCpuQuota(3));
    refused(() -> cri.run(config), "cpu_quota");
    cri.remove(sandbox);
  }

  private static HugepageLimit page(String size, long bytes) {
    return HugepageLimit.newBuilder().setPageSize(size).setLimit(bytes).build();
  }

  @Test
  void hugePagesAreLimitedWhereTheControllerIs() {
    assumeThat(ProcessCgroup.IS_V2).as("the hugetlb controller").isTrue();
    CriPods.Started pod =
        cri.start(
            cri.sandbox("pages"),
            limited(
                resources().addHugepageLimits(page("2MB", 4 * MIB)), "sleep", "100102"));
    int pid = pid("sleep 100102");
    assertThat(ProcessCgroup.file(pid, "", "hugetlb.2MB.max")).isEqualTo("" + 4 * MIB);
    update(pod.container(), resources().addHugepageLimits(page("2MB", 2 * MIB)));
    assertThat(ProcessCgroup.file(pid, "", "hugetlb.2MB.max")).isEqualTo("" + 2 * MIB);
    cri.remove(pod.sandbox());
  }

  @Test
  void versionTwosOwnFilesAreSetThereAndRefusedElsewhere() {
    LinuxContainerResources.Builder high = resources().putUnified("memory.high", "" + 48 * MIB);
    PodSandboxConfig.Builder sandbox = cri.sandbox("unified");
    if (ProcessCgroup.IS_V2) {
      CriPods.Started pod = cri.start(sandbox, limited(high, "sleep", "100103"));
      assertThat(ProcessCgroup.file(pid("sleep 100103"), "", "memory.high"))
          .isEqualTo("" + 48 * MIB);
      cri.remove(pod.sandbox());
    } else {
      String id = cri.run(sandbox);
      refused(() -> cri.create(id, sandbox, limited(high, "true")), "unified: memory.high");
      cri.remove(id);
    }
  }

  @Test
  void theContainersOwnLimitKillsIt() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("hungry"), limited(resources().setMemoryLimitInBytes(32 * MIB), HOARD));
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    assertThat(status.getMessage()).contains("the container's memory limit was hit");
    cri.remove(pod.sandbox());
  }

  @Test
  void thePodsLimitKillsOneOfItsContainers() {
    PodSandboxConfig.Builder sandbox = below("podlimit", "/podlimit");
    sandbox.getLinuxBuilder().setResources(resources().setMemoryLimitInBytes(48 * MIB));
    CriPods.Started pod = cri.start(sandbox, cri.container("main", HOARD));
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    assertThat(status.getMessage()).contains("the pod's memory limit was hit");
    cri.remove(pod.sandbox());
  }

  @Test
  void aKilledHelperIsToldAndItsContainerIsNotOomKilled() {
    String script = "(" + "awk 'BEGIN { x = \"x\"; while (1) x = x x }'" + "); echo survived; exit ";
    for (int exit : new int[] {0, 3}) {
      ContainerConfig.Builder container = cri.script("main", script + exit);
      container.getLinuxBuilder().setResources(resources().setMemoryLimitInBytes(32 * MIB));
      CriPods.Started pod = cri.start(cri.sandbox("helper-" + exit), container);
      ContainerStatus status = cri.awaitExit(pod.container());
      assertThat(CriPods.texts(pod.log())).contains("survived");
      assertThat(status.getExitCode()).isEqualTo(exit);
      assertThat(status.getReason()).isEqualTo(exit == 0 ? "Completed" : "Error");
      assertThat(status.getMessage()).contains("a process was killed for want of memory");
      cri.remove(pod.sandbox());
    }
  }

  @Test
  void anotherKillIsNotForWantOfMemory() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("killed"),
            limited(resources().setMemoryLimitInBytes(32 * MIB), "sleep", "100104"));
    Shell.run("kill", "-9", "" + pid("sleep 100104")).ok();
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("Error");
    assertThat(status.getMessage()).isEmpty();
    cri.remove(pod.sandbox());
  }

  /// A helper had been killed before; what ended the container was the stop.
  @Test
  void aStopAfterAnOomKillIsNoOomKill() {
    ContainerConfig.Builder container =
        cri.script(
            "main",
            "trap '' TERM; (awk 'BEGIN { x = \"x\"; while (1) x = x x }'); echo survived; sleep 100113");
    container.getLinuxBuilder().setResources(resources().setMemoryLimitInBytes(32 * MIB));
    CriPods.Started pod = cri.start(cri.sandbox("stopped"), container);
    await()
        .atMost(Patience.ofSeconds(30))
        .until(() -> CriPods.texts(pod.log()).contains("survived"));
    peapod
        .podsCri()
        .stopContainer(
            StopContainerRequest.newBuilder().setContainerId(pod.container()).setTimeout(1).build());
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("Error");
    assertThat(status.getMessage()).contains("a process was killed for want of memory");
    cri.remove(pod.sandbox());
  }

  @Test
  void anOomKillIsTheWholeGroupsWhereThatIsAskedFor() {
    assumeThat(ProcessCgroup.IS_V2).as("memory.oom.group").isTrue();
    ContainerConfig.Builder container =
        cri.script("main", "awk 'BEGIN { x = \"x\"; while (1) x = x x }' & sleep 100105");
    container
        .getLinuxBuilder()
        .setResources(
            resources().setMemoryLimitInBytes(32 * MIB).putUnified("memory.oom.group", "1"));
    CriPods.Started pod = cri.start(cri.sandbox("group"), container);
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    cri.remove(pod.sandbox());
  }

  @Test
  void aPodsCgroupHasItsLimitsAndChanges() {
    PodSandboxConfig.Builder sandbox = below("whole", "/whole");
    sandbox
        .getLinuxBuilder()
        .setResources(resources().setMemoryLimitInBytes(64 * MIB).setCpuShares(512))
        .setOverhead(resources().setMemoryLimitInBytes(16 * MIB).setCpuShares(512));
    CriPods.Started pod = cri.start(sandbox, cri.container("main", "sleep", "100106"));
    int pid = pid("sleep 100106");
    assertThat(ofPod(pid, "memory.limit_in_bytes", "memory.max")).isEqualTo("" + 80 * MIB);
    assertThat(ofPod(pid, "cpu.shares", "cpu.weight"))
        .isEqualTo(ProcessCgroup.IS_V2 ? "100" : "1024");
    peapod
        .podsCri()
        .updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest.newBuilder()
                .setPodSandboxId(pod.sandbox())
                .setResources(resources().setMemoryLimitInBytes(96 * MIB))
                .build());
    assertThat(ofPod(pid, "memory.limit_in_bytes", "memory.max")).isEqualTo("" + 96 * MIB);
    assertThat(ofPod(pid, "cpu.shares", "cpu.weight"))
        .isEqualTo(ProcessCgroup.IS_V2 ? "100" : "1024");
    cri.remove(pod.sandbox());
  }

  private static String ofPod(int pid, String v1, String v2) {
    String name = ProcessCgroup.IS_V2 ? v2 : v1;
    return ProcessCgroup.read(
        ProcessCgroup.directory(pid, name.substring(0, name.indexOf('.')))
            .resolveSibling(name));
  }

  /// A process outside would be limited and killed by nobody.
  @Test
  void everyProcessOfAPodIsInItsCgroup() {
    CriPods.Started pod =
        cri.start(
            below("inside", "/inside"),
            cri.script("main", "(setsid sleep 100107 &); (sleep 100108 &); sleep 100109"));
    pid("sleep 100107");
    pid("sleep 100108");
    cri.output(pod.container(), "(setsid sleep 100110 >/dev/null 2>&1 &)");
    pid("sleep 100110");
    // All that has the pod's network is of the pod, wherever its cgroups say that it is.
    String network = PodProcesses.await(peapod, "sleep 100109", 1).getFirst().namespace("net");
    List<Integer> all =
        ProcessHandle.allProcesses()
            .map(p -> new PodProcesses.Found((int) p.pid(), ""))
            .filter(p -> p.namespace("net").equals(network))
            .map(PodProcesses.Found::pid)
            .toList();
    assertThat(all).hasSizeGreaterThanOrEqualTo(5);
    for (int pid : all) {
      assertThat(ProcessCgroup.paths(pid))
          .as("the cgroups of process %d", pid)
          .isNotEmpty()
          .allMatch(path -> (path + "/").contains(peapod.cgroup() + "/inside/"));
    }
    cri.remove(pod.sandbox());
  }

  @Test
  void aContainerSeesItsOwnCgroupAndNoOther() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("view"),
            limited(resources().setMemoryLimitInBytes(40 * MIB), "sleep", "100111"));
    String limit = ProcessCgroup.IS_V2 ? "memory.max" : "memory/memory.limit_in_bytes";
    assertThat(cri.output(pod.container(), "cat /sys/fs/cgroup/" + limit)).isEqualTo("" + 40 * MIB);
    // Process 1 of the container's view, whatever PID namespace: the main process's own cgroup is the root.
    assertThat(cri.output(pod.container(), "cut -d: -f3 /proc/$(pidof sleep)/cgroup | sort -u"))
        .isIn("/", "/\n/..");
    assertThat(cri.output(pod.container(), "cat /proc/self/cgroup")).doesNotContain("peat", "..");
    String writing =
        cri.output(
            pod.container(),
            "cd /sys/fs/cgroup; for f in $(find . -name cgroup.procs -o -name tasks); do "
                + "(echo 0 > $f) 2>/dev/null && echo wrote $f; done; mkdir a 2>/dev/null && echo made; "
                + "ls -R . | grep -c peat");
    assertThat(writing).isEqualTo("0");
    cri.remove(pod.sandbox());
  }

  @Test
  void aDeviceNodeThatAContainerMakesDoesNotOpen() {
    CriPods.Started pod = cri.start(cri.sandbox("devices"), cri.container("main", "sleep", "100112"));
    assertThat(
            cri.output(
                pod.container(),
                "mknod /tmp-disk b 7 0 && ! head -c 1 /tmp-disk 2>/dev/null && "
                    + "mknod /tmp-null c 1 3 && echo x > /tmp-null && head -c 1 /dev/zero | wc -c"))
        .isEqualTo("1");
    cri.remove(pod.sandbox());
  }

  @Test
  void podsOfManifestsAreInTheLevelOfTheirClass() {
    peapod.submit(pod("guaranteed", "{limits: {cpu: 200m, memory: 64Mi}}", 100121));
    peapod.submit(pod("burstable", "{requests: {cpu: 300m, memory: 16Mi}}", 100122));
    peapod.submit(pod("besteffort", "{}", 100123));
    peapod.submit(
        pod("whole", "{limits: {memory: 40Mi}}", 100124)
            .replace(
                "spec:\n",
                "spec:\n  resources: {limits: &a {cpu: 400m, memory: 100Mi}, requests: *a}\n"));
    assertThat(levelOf("guaranteed", 100121)).startsWith("/pod");
    assertThat(levelOf("burstable", 100122)).startsWith("/burstable/pod");
    assertThat(levelOf("besteffort", 100123)).startsWith("/besteffort/pod");
    assertThat(score(pid("sleep 100123"))).isEqualTo("1000");
    assertThat(Integer.parseInt(score(pid("sleep 100122")))).isBetween(3, 999);
    assertThat(ofLevel(pid("sleep 100122"))).isEqualTo(ProcessCgroup.IS_V2 ? "40" : "307");
    assertThat(ofLevel(pid("sleep 100123"))).isEqualTo(ProcessCgroup.IS_V2 ? "1" : "2");
    assertThat(memory(pid("sleep 100121"))).isEqualTo("" + 64 * MIB);
    assertThat(ofPod(pid("sleep 100121"), "memory.limit_in_bytes", "memory.max"))
        .isEqualTo("" + 64 * MIB);
    assertThat(levelOf("whole", 100124)).startsWith("/pod");
    assertThat(memory(pid("sleep 100124"))).isEqualTo("" + 40 * MIB);
    assertThat(ofPod(pid("sleep 100124"), "memory.limit_in_bytes", "memory.max"))
        .isEqualTo("" + 100 * MIB);
    for (String name : List.of("guaranteed", "burstable", "besteffort", "whole")) {
      peapod.withdraw(name);
    }
  }

  private static String pod(String name, String resources, int seconds) {
    return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
            - {name: main, image: %s, command: [sleep, "%d"], resources: %s}
        """
        .formatted(name, Fixtures.BUSYBOX, seconds, resources);
  }

  /// What follows the parent of all pods in the path of a pod's container.
  private String levelOf(String name, int seconds) {
    peapod.awaitReady(name);
    String path = ProcessCgroup.paths(pid("sleep " + seconds)).findFirst().orElseThrow();
    return path.substring(path.indexOf(peapod.cgroup()) + peapod.cgroup().length());
  }

  private static String ofLevel(int pid) {
    String name = ProcessCgroup.IS_V2 ? "cpu.weight" : "cpu.shares";
    return ProcessCgroup.read(ProcessCgroup.directory(pid, "cpu").resolve("../../" + name));
  }
}
