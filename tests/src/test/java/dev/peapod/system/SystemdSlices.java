package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.CgroupDriver;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.RuntimeConfigRequest;
import dev.peapod.proto.runtime.v1.UpdatePodSandboxResourcesRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Pods in slices of systemd. For the guest, where systemd is what starts the machine.
@SuppressWarnings("NullAway.Init")
class SystemdSlices extends SystemTest implements AppArmorProfiles, Checkpoints {
  private static final long MIB = 1 << 20;
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final String POD = "peakube-burstable-pod1_2_3.slice";
  private static final String PATH = "/peakube.slice/peakube-burstable.slice/" + POD;

  private CriPods cri;

  @Override
  protected String[] flags() {
    return new String[] {"--cgroup-driver", "systemd", "--cgroup-parent", "peatest.slice"};
  }

  @Override
  public Peapod daemon() {
    return peapod;
  }

  @Override
  public CriPods cri() {
    return cri;
  }

  @BeforeAll
  void useTheLoadedImage() {
    cri = new CriPods(peapod::podsCri, peapod.directory().resolve("cri-logs"), Fixtures.BUSYBOX);
  }

  @AfterAll
  void systemdKnowsNothingOfThePodsAnyMore() {
    nothingIsLeftOfTheDaemon();
    assertThat(Shell.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "pea*").ok()).isEmpty();
    Path changed = Path.of("/run/systemd/system.control");
    if (Files.exists(changed)) {
      assertThat(changed).isEmptyDirectory();
    }
  }

  private static LinuxContainerResources.Builder memory(long mib) {
    return LinuxContainerResources.newBuilder().setMemoryLimitInBytes(mib * MIB);
  }

  private PodSandboxConfig.Builder in(String name, String parent) {
    PodSandboxConfig.Builder sandbox = cri.sandbox(name);
    sandbox.getLinuxBuilder().setCgroupParent(parent);
    return sandbox;
  }

  private static String show(String unit, String property) {
    return Shell.run("systemctl", "show", "--value", "-p", property, unit).ok().strip();
  }

  /// Several properties of a unit, as `name=value`: one program for all of them.
  private static List<String> properties(String unit, String... names) {
    return Shell.run("systemctl", "show", "-p", String.join(",", names), unit).ok().lines().toList();
  }

  private static String file(String path) {
    return ProcessCgroup.read(Path.of(CGROUPS + path));
  }

  private static int pid(String command) {
    return (int) await()
        .atMost(Patience.ofSeconds(60))
        .until(
            () ->
                ProcessHandle.allProcesses()
                    .filter(p -> p.info().commandLine().orElse("").endsWith(command))
                    .toList(),
            found -> found.size() == 1)
        .getFirst()
        .pid();
  }

  @Test
  void theDriverIsTold() {
    assertThat(
            peapod.podsCri().runtimeConfig(RuntimeConfigRequest.getDefaultInstance()).getLinux().getCgroupDriver())
        .isEqualTo(CgroupDriver.SYSTEMD);
  }

  @Test
  void aPodIsAScopeInItsSliceAndKeepsItsLimitsWhateverSystemdWrites() {
    PodSandboxConfig.Builder config = in("kube", PATH);
    config
        .getLinuxBuilder()
        .setResources(
            memory(100)
                .setCpuShares(2048)
                .setCpuPeriod(100_000)
                .setCpuQuota(150_000)
                .setCpusetCpus("0-1")
                .putUnified("pids.max", "500"));
    ContainerConfig.Builder container = cri.container("main", "sleep", "100111");
    container.getLinuxBuilder().setResources(memory(50).setCpuQuota(20_000).setCpuPeriod(50_000));
    CriPods.Started pod = cri.start(config, container);
    String scope = "peapod-" + pod.sandbox() + ".scope";
    String own = PATH + "/" + scope + "/" + pod.container();
    int pid = pid("sleep 100111");
    assertThat(ProcessCgroup.paths(pid)).containsExactly(own);
    assertThat(file(PATH + "/" + scope + "/pause-" + pod.sandbox() + "/cgroup.procs")).isNotEmpty();
    assertThat(properties(scope, "ActiveState", "Delegate", "Slice"))
        .containsExactlyInAnyOrder("ActiveState=active", "Delegate=yes", "Slice=" + POD);

    assertLimits(100, 50, own);
    assertThat(
            properties(POD, "MemoryMax", "CPUWeight", "CPUQuotaPerSecUSec", "AllowedCPUs", "TasksMax"))
        .containsExactlyInAnyOrder(
            "MemoryMax=" + 100 * MIB,
            "CPUWeight=174",
            "CPUQuotaPerSecUSec=1.500000s",
            "AllowedCPUs=0-1",
            "TasksMax=500");

    // Now systemd writes all that it knows of.
    Shell.run("systemctl", "daemon-reload").ok();
    assertLimits(100, 50, own);
    peapod
        .podsCri()
        .updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest.newBuilder()
                .setPodSandboxId(pod.sandbox())
                .setResources(memory(120))
                .build());
    assertThat(show(POD, "MemoryMax")).isEqualTo("" + 120 * MIB);
    Shell.run("systemctl", "daemon-reload").ok();
    Shell.run("systemctl", "set-property", "--runtime", POD, "CPUWeight=200").ok();
    assertThat(file(PATH + "/cpu.weight")).isEqualTo("200");
    assertLimits(120, 50, own);

    // The container's own device rules are still there: nodes can be made, and not opened.
    ExecSyncResponse devices =
        cri.exec(pod.container(), "mknod /kmsg c 1 11 && cat /kmsg; cat /dev/null && echo fine");
    assertThat(devices.getStdout().toStringUtf8()).isEqualTo("fine\n");
    assertThat(devices.getStderr().toStringUtf8()).contains("/kmsg").contains("not permitted");
    cri.remove(pod.sandbox());
    assertThat(show(scope, "LoadState")).isEqualTo("not-found");
    assertThat(show(POD, "ActiveState")).isEqualTo("inactive");
    assertThat(CGROUPS.resolve("peakube.slice")).doesNotExist();
  }

  private static void assertLimits(long pod, long container, String own) {
    assertThat(file(PATH + "/memory.max")).isEqualTo("" + pod * MIB);
    assertThat(file(PATH + "/cpu.max")).isEqualTo("150000 100000");
    assertThat(file(PATH + "/cpuset.cpus")).isEqualTo("0-1");
    assertThat(file(PATH + "/pids.max")).isEqualTo("500");
    assertThat(file(own + "/memory.max")).isEqualTo("" + container * MIB);
    assertThat(file(own + "/cpu.max")).isEqualTo("20000 50000");
  }

  @Test
  void aSliceThatWasThereStaysWhoseItIs() {
    Shell.run("systemctl", "start", "peaother.slice").ok();
    Shell.run("systemctl", "set-property", "--runtime", "peaother.slice", "MemoryMax=200M").ok();
    try {
      PodSandboxConfig.Builder config = in("guest", "peaother.slice");
      config.getLinuxBuilder().setResources(memory(100));
      CriPods.Started pod = cri.start(config, cri.container("main", "sleep", "100112"));
      assertThat(file("/peaother.slice/memory.max")).isEqualTo("" + 200 * MIB);
      cri.remove(pod.sandbox());
      assertThat(show("peaother.slice", "ActiveState")).isEqualTo("active");
      assertThat(file("/peaother.slice/memory.max")).isEqualTo("" + 200 * MIB);
    } finally {
      Shell.run("systemctl", "stop", "peaother.slice").ok();
      Shell.run("systemctl", "revert", "peaother.slice").ok();
    }
  }

  @Test
  void appliedPodsAreInSlicesOfTheirClass() {
    peapod.submit(
        Manifests.pod(
            "classy",
            "",
            Manifests.container(
                "main", "exec sleep 100113", "resources: {requests: {cpu: 500m}, limits: {memory: 64Mi}}")));
    peapod.awaitReady("classy");
    int pid = pid("sleep 100113");
    assertThat(ProcessCgroup.paths(pid).toList())
        .singleElement()
        .asString()
        .matches(
            "/peatest.slice/peatest-burstable.slice/peatest-burstable-pod[0-9a-f_]+.slice/peapod-[0-9a-f]+.scope/[0-9a-f]+");
    await()
        .atMost(Patience.ofSeconds(60))
        .untilAsserted(() -> assertThat(show("peatest-burstable.slice", "CPUWeight")).isEqualTo("59"));
    assertThat(file("/peatest.slice/peatest-burstable.slice/cpu.weight")).isEqualTo("59");
    peapod.withdraw("classy");
  }

  @Test
  void aKilledDaemonFindsItsPodsAgainAndSystemdDoesNotMissIt() {
    CriPods.Started pod = cri.start(in("kept", POD), cri.container("main", "sleep", "100114"));
    int pid = pid("sleep 100114");
    peapod.kill();
    peapod.start();
    assertThat(Files.exists(Path.of("/proc/" + pid))).isTrue();
    assertThat(cri.exec(pod.container(), "echo here").getStdout().toStringUtf8()).isEqualTo("here\n");
    cri.remove(pod.sandbox());
    assertThat(CGROUPS.resolve("peakube.slice")).doesNotExist();
  }

  @Test
  void whatIsNoSliceIsRefused() {
    for (String parent : List.of("/kubepods/pod1", "-.slice", "a--b.slice", "/a.slice/b.slice", "a b.slice", ".slice")) {
      assertThatThrownBy(() -> cri.run(in("bad", parent)))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
          .hasMessageContaining("cgroup_parent");
    }
  }
}
