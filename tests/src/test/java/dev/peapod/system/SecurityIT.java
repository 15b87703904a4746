package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.Device;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.SELinuxOption;
import dev.peapod.proto.runtime.v1.SecurityProfile;
import dev.peapod.proto.runtime.v1.SecurityProfile.ProfileType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What containers and the commands in them may do, seen from inside.
@SuppressWarnings("NullAway.Init")
class SecurityIT extends KubeletTest {
  /// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD,
  /// AUDIT_WRITE, SETFCAP.
  private static final long DEFAULT = 0xa80425fbL;

  private static final long CHOWN = 1;
  private static final long NET_BIND_SERVICE = 1 << 10;
  private static final long NET_ADMIN = 1 << 12;

  private static final SecurityProfile RUNTIME_DEFAULT =
      SecurityProfile.newBuilder().setProfileType(ProfileType.RuntimeDefault).build();

  private Path profiles;
  private long held;
  private final AtomicInteger numbers = new AtomicInteger();

  @BeforeAll
  void prepare() throws IOException {
    profiles = Files.createDirectories(peapod.directory().resolve("profiles"));
    held = bits(parse(Files.readString(Path.of("/proc/self/status"))), "CapBnd");
  }

  private static Map<String, String> parse(String status) {
    Map<String, String> values = new HashMap<>();
    for (String line : status.lines().toList()) {
      int colon = line.indexOf(':');
      values.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return values;
  }

  private static long bits(Map<String, String> status, String set) {
    return Long.parseLong(status.getOrDefault(set, ""), 16);
  }

  private static LinuxContainerSecurityContext.Builder security(ContainerConfig.Builder container) {
    return container.getLinuxBuilder().getSecurityContextBuilder();
  }

  /// A container that shows its main process's status in its log and stays.
  private ContainerConfig.Builder showing() {
    return cri.script("main", "cat /proc/self/status; echo end: of it; sleep 100100");
  }

  private void running(ContainerConfig.Builder container, Consumer<CriPods.Started> check) {
    PodSandboxConfig.Builder sandbox = cri.sandbox("secure-" + numbers.incrementAndGet());
    sandbox
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setPrivileged(security(container).getPrivileged());
    CriPods.Started pod = cri.start(sandbox, container);
    check.accept(pod);
    cri.remove(pod.sandbox());
  }

  private static Map<String, String> logged(CriPods.Started pod) {
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> CriPods.texts(pod.log()).contains("end: of it"));
    return parse(String.join("\n", CriPods.texts(pod.log())));
  }

  private String output(CriPods.Started pod, String script) {
    ExecSyncResponse response = cri.exec(pod.container(), script);
    assertThat(response.getExitCode()).as("%s: %s", script, response.getStderr().toStringUtf8()).isZero();
    return response.getStdout().toStringUtf8().strip();
  }

  private void refused(CriPods.Started pod, String script, String error) {
    ExecSyncResponse response = cri.exec(pod.container(), script);
    assertThat(response.getExitCode()).as(script).isNotZero();
    assertThat(response.getStderr().toStringUtf8()).contains(error);
  }

  /// The same in the main process and in a command.
  private void everywhere(CriPods.Started pod, Consumer<Map<String, String>> check) {
    check.accept(logged(pod));
    check.accept(parse(output(pod, "cat /proc/self/status")));
  }

  private void capabilities(
      ContainerConfig.Builder container, long bounding, long effective, long inheritable) {
    running(
        container,
        pod ->
            everywhere(
                pod,
                status -> {
                  assertThat(bits(status, "CapBnd")).as("CapBnd").isEqualTo(bounding & held);
                  assertThat(bits(status, "CapPrm")).as("CapPrm").isEqualTo(effective & held);
                  assertThat(bits(status, "CapEff")).as("CapEff").isEqualTo(effective & held);
                  assertThat(bits(status, "CapInh")).as("CapInh").isEqualTo(inheritable);
                  assertThat(bits(status, "CapAmb")).as("CapAmb").isEqualTo(inheritable);
                }));
  }

  @Test
  void capabilitiesAreExactAndNoneIsInheritable() {
    capabilities(showing(), DEFAULT, DEFAULT, 0);
    ContainerConfig.Builder changed = showing();
    security(changed).getCapabilitiesBuilder().addAddCapabilities("NET_ADMIN").addDropCapabilities("CAP_CHOWN");
    capabilities(changed, (DEFAULT | NET_ADMIN) & ~CHOWN, (DEFAULT | NET_ADMIN) & ~CHOWN, 0);
    ContainerConfig.Builder none = showing();
    security(none).getCapabilitiesBuilder().addDropCapabilities("ALL");
    capabilities(none, 0, 0, 0);
    ContainerConfig.Builder all = showing();
    security(all).getCapabilitiesBuilder().addAddCapabilities("ALL").addDropCapabilities("CHOWN");
    capabilities(all, held & ~CHOWN, held & ~CHOWN, 0);
  }

  @Test
  void capabilitiesOfAUserAreTheAmbientOnes() {
    ContainerConfig.Builder plain = showing();
    security(plain).setRunAsUser(Int64Value.newBuilder().setValue(1000));
    capabilities(plain, DEFAULT, 0, 0);
    ContainerConfig.Builder ambient = showing();
    security(ambient).setRunAsUser(Int64Value.newBuilder().setValue(1000));
    security(ambient)
        .getCapabilitiesBuilder()
        .addDropCapabilities("ALL")
        .addAddAmbientCapabilities("NET_BIND_SERVICE");
    capabilities(ambient, NET_BIND_SERVICE, NET_BIND_SERVICE, NET_BIND_SERVICE);
  }

  @Test
  void loadingAFilterLeavesNoCapabilityBehind() {
    for (long user : new long[] {0, 1000}) {
      ContainerConfig.Builder container = showing();
      security(container)
          .setSeccomp(RUNTIME_DEFAULT)
          .setRunAsUser(Int64Value.newBuilder().setValue(user));
      security(container).getCapabilitiesBuilder().addDropCapabilities("ALL").addAddCapabilities("CHOWN");
      capabilities(container, CHOWN, user == 0 ? CHOWN : 0, 0);
    }
  }

  @Test
  void noNewPrivilegesIsOnWhereAskedFor() {
    for (boolean on : new boolean[] {true, false}) {
      ContainerConfig.Builder container = showing();
      security(container).setNoNewPrivs(on).setSeccomp(RUNTIME_DEFAULT);
      running(
          container,
          pod ->
              everywhere(
                  pod,
                  status -> {
                    assertThat(status).containsEntry("NoNewPrivs", on ? "1" : "0");
                    assertThat(status).containsEntry("Seccomp", "2");
                    assertThat(status).containsEntry("Seccomp_filters", "1");
                  }));
    }
  }

  @Test
  void theDefaultFilterFollowsCapabilities() {
    ContainerConfig.Builder plain = showing();
    security(plain).setSeccomp(RUNTIME_DEFAULT);
    running(
        plain,
        pod -> {
          refused(pod, "unshare -U true", "Operation not permitted");
          refused(pod, "hostname other", "Operation not permitted");
        });
    ContainerConfig.Builder admin = showing();
    security(admin).setSeccomp(RUNTIME_DEFAULT).getCapabilitiesBuilder().addAddCapabilities("SYS_ADMIN");
    running(admin, pod -> assertThat(output(pod, "hostname other; hostname")).isEqualTo("other"));
  }

  @Test
  void withoutAProfileNothingIsFiltered() {
    ContainerConfig.Builder asked = showing();
    security(asked)
        .setSeccomp(SecurityProfile.newBuilder().setProfileType(ProfileType.Unconfined));
    for (ContainerConfig.Builder container : List.of(showing(), asked)) {
      running(container, pod -> everywhere(pod, s -> assertThat(s).containsEntry("Seccomp", "0")));
    }
  }

  private Path profile(String name, String json) {
    try {
      return Files.writeString(profiles.resolve(name), json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SecurityProfile localhost(Path profile) {
    return SecurityProfile.newBuilder()
        .setProfileType(ProfileType.Localhost)
        .setLocalhostRef(profile.toString())
        .build();
  }

  private Path noChmod() {
    return profile(
        "no-chmod.json",
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["chmod", "fchmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]}
        """);
  }

  @Test
  void aProfileOfTheOwnersCountsAsItWasWhenTheContainerWasCreated() throws IOException {
    Path profile = noChmod();
    ContainerConfig.Builder container = showing();
    security(container).setSeccomp(localhost(profile));
    running(
        container,
        pod -> {
          everywhere(pod, status -> assertThat(status).containsEntry("Seccomp", "2"));
          refused(pod, "chmod 400 /tmp", "Invalid cross-device link");
          profile("no-chmod.json", "{}");
          peapod.kill();
          peapod.start();
          refused(pod, "chmod 400 /tmp", "Invalid cross-device link");
        });
    ContainerConfig.Builder legacy = showing();
    setLegacyProfile(legacy, "localhost/" + noChmod());
    running(legacy, pod -> refused(pod, "chmod 400 /tmp", "Invalid cross-device link"));
  }

  @SuppressWarnings("deprecation") // What older kubelets send.
  private static void setLegacyProfile(ContainerConfig.Builder container, String profile) {
    security(container).setSeccompProfilePath(profile);
  }

  @Test
  void aProfileCanNotBreakTheLastStepsOfAStart() {
    Path strict =
        profile(
            "strict.json",
            """
            {"defaultAction": "SCMP_ACT_ALLOW",
             "syscalls": [{"names": ["capset", "prctl", "setgroups", "setresuid", "setresgid", "close_range", "seccomp",
                                     "chdir", "umask", "sendmsg", "setsid", "openat2", "move_mount"],
                           "action": "SCMP_ACT_KILL_PROCESS"}]}
            """);
    ContainerConfig.Builder container = cri.container("main", "echo", "done");
    security(container)
        .setSeccomp(localhost(strict))
        .setRunAsUser(Int64Value.newBuilder().setValue(1000));
    running(
        container,
        pod -> {
          assertThat(cri.awaitExit(pod.container()).getExitCode()).isZero();
          assertThat(CriPods.texts(pod.log())).containsExactly("done");
        });
  }

  private void createFails(ContainerConfig.Builder container, String... named) {
    PodSandboxConfig.Builder config = cri.sandbox("refused");
    String sandbox = cri.run(config);
    assertThatThrownBy(() -> cri.create(sandbox, config, container))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode())
                  .as(e.getMessage())
                  .isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(e.getStatus().getDescription()).contains(named);
            });
    assertThat(PodProcesses.of(peapod)).as("pause alone is left").hasSize(1);
    cri.remove(sandbox);
  }

  @Test
  void anEmptyProfileNameIsNotUnconfined() throws IOException {
    for (SecurityProfile empty :
        List.of(
            SecurityProfile.newBuilder().setProfileType(ProfileType.Localhost).build(),
            SecurityProfile.newBuilder().setProfileType(ProfileType.Localhost).setLocalhostRef("localhost/").build(),
            SecurityProfile.newBuilder().setProfileType(ProfileType.Localhost).setLocalhostRef(" ").build())) {
      ContainerConfig.Builder container = showing();
      security(container).setSeccomp(empty);
      createFails(container, "security_context.seccomp.localhost_ref");
      ContainerConfig.Builder labelled = showing();
      security(labelled).setApparmor(empty);
      createFails(labelled, "security_context.apparmor.localhost_ref");
    }
    ContainerConfig.Builder legacy = showing();
    setLegacyProfile(legacy, "localhost/");
    createFails(legacy, "seccomp_profile_path");
    ContainerConfig.Builder noPrefix = showing();
    setLegacyProfile(noPrefix, noChmod().toString());
    createFails(noPrefix, "seccomp_profile_path", "no-chmod.json");
  }

  @Test
  void aProfileThatIsNoneIsRefused() {
    ContainerConfig.Builder missing = showing();
    security(missing).setSeccomp(localhost(profiles.resolve("missing.json")));
    createFails(missing, "security_context.seccomp", "missing.json");
    ContainerConfig.Builder relative = showing();
    security(relative).setSeccomp(localhost(Path.of("profiles/x.json")));
    createFails(relative, "security_context.seccomp", "profiles/x.json");
    ContainerConfig.Builder broken = showing();
    security(broken).setSeccomp(localhost(profile("broken.json", "{\"defaultAction\": \"SCMP_ACT_ALOW\"}")));
    createFails(broken, "security_context.seccomp", "broken.json", "SCMP_ACT_ALOW");
    Shell.run("mkfifo", profiles.resolve("fifo.json").toString()).ok();
    ContainerConfig.Builder fifo = showing();
    security(fifo).setSeccomp(localhost(profiles.resolve("fifo.json")));
    createFails(fifo, "security_context.seccomp", "fifo.json");
  }

  @Test
  void capabilitiesThatDoNotExistAreRefused() {
    ContainerConfig.Builder add = showing();
    security(add).getCapabilitiesBuilder().addAddCapabilities("FLY");
    createFails(add, "add_capabilities", "\"FLY\"");
    ContainerConfig.Builder drop = showing();
    security(drop).getCapabilitiesBuilder().addDropCapabilities("CAP_FLY");
    createFails(drop, "drop_capabilities", "\"CAP_FLY\"");
    ContainerConfig.Builder ambient = showing();
    security(ambient).getCapabilitiesBuilder().addAddAmbientCapabilities("");
    createFails(ambient, "add_ambient_capabilities");
  }

  @Test
  void labelsAreRefusedWhereTheKernelHasNone() {
    assumeTrue(
        Files.notExists(Path.of("/sys/module/apparmor")) && Files.notExists(Path.of("/sys/fs/selinux")),
        "this kernel has AppArmor or SELinux");
    ContainerConfig.Builder apparmor = showing();
    security(apparmor).setApparmor(localhost(Path.of("web")));
    createFails(apparmor, "security_context.apparmor", "AppArmor");
    ContainerConfig.Builder selinux = showing();
    security(selinux).setSelinuxOptions(SELinuxOption.newBuilder().setLevel("s0:c1,c2"));
    createFails(selinux, "security_context.selinux_options", "SELinux");
    ContainerConfig.Builder defaults = showing();
    security(defaults).setApparmor(RUNTIME_DEFAULT).setSelinuxOptions(SELinuxOption.getDefaultInstance());
    running(defaults, SecurityIT::logged);
  }

  @Test
  void aPrivilegedContainerHasAll() throws IOException {
    ContainerConfig.Builder container = showing();
    security(container).setPrivileged(true).setSeccomp(localhost(noChmod()));
    running(
        container,
        pod -> {
          everywhere(
              pod,
              status -> {
                assertThat(bits(status, "CapEff")).isEqualTo(held);
                assertThat(bits(status, "CapBnd")).isEqualTo(held);
                assertThat(status).containsEntry("Seccomp", "0");
              });
          assertThat(output(pod, "grep ' /sys ' /proc/mounts")).contains("sysfs rw");
          assertThat(output(pod, "grep -c ' /proc/' /proc/mounts || true")).isEqualTo("0");
          assertThat(output(pod, "chmod 700 /tmp; cat /proc/sys/kernel/ostype > /dev/null; echo yes")).isEqualTo("yes");
          List<String> devices = output(pod, "find /dev -type c -o -type b").lines().toList();
          assertThat(devices).contains("/dev/null", "/dev/tty").containsAll(hostDevices());
          assertThat(output(pod, "test ! -e /dev/kmsg || head -c 0 /dev/kmsg; test ! -e /dev/loop-control"
              + " || (exec 3</dev/loop-control; echo open)")).isIn("open", "");
        });
    ContainerConfig.Builder outside = showing();
    security(outside).setPrivileged(true);
    createFails(outside, "security_context.privileged", "privileged sandbox");
  }

  private static List<String> hostDevices() {
    return Shell.run("sh", "-c",
            "find /dev \\( -path /dev/pts -o -path /dev/shm -o -path /dev/mqueue \\) -prune -o"
                + " \\( -type c -o -type b \\) -print | grep -v -x -E '/dev/(console|ptmx|core|fd.*)'")
        .ok().lines().toList();
  }

  /// A device that containers do not have by default and that anybody may open for reading and writing.
  private static Path device() {
    Path device = Path.of("/dev/loop-control");
    assumeTrue(Files.exists(device), "there is no " + device + " here");
    return device;
  }

  private static Device device(String container, String host, String permissions) {
    return Device.newBuilder()
        .setContainerPath(container)
        .setHostPath(host)
        .setPermissions(permissions)
        .build();
  }

  @Test
  void devicesAreMadeAndUsedAsAskedFor() {
    String host = device().toString();
    ContainerConfig.Builder both = showing().addDevices(device("/dev/some/where", host, "rw"));
    running(
        both,
        pod -> {
          assertThat(output(pod, "exec 3</dev/some/where && exec 4>/dev/some/where && echo both")).isEqualTo("both");
          refused(pod, "ls " + host, "No such file");
        });
    ContainerConfig.Builder reading = showing().addDevices(device("", host, "r"));
    running(
        reading,
        pod -> {
          assertThat(output(pod, "exec 3<" + host + " && echo read")).isEqualTo("read");
          refused(pod, "exec 3>" + host, "Operation not permitted");
        });
    running(
        showing(),
        pod ->
            refused(
                pod,
                "mknod /dev/mine c $((0x%s)) $((0x%s)) && exec 3</dev/mine"
                    .formatted(stat("%t", host), stat("%T", host)),
                "Operation not permitted"));
  }

  private static String stat(String format, String path) {
    return Shell.run("stat", "-c", format, path).ok().strip();
  }

  @Test
  void devicesThatCanNotBeAreRefused() {
    createFails(showing().addDevices(device("/dev/x", "/dev/no-such-device", "rw")), "devices[0].host_path", "no-such-device");
    createFails(showing().addDevices(device("/dev/x", "/etc/passwd", "rw")), "devices[0].host_path", "/etc/passwd");
    createFails(showing().addDevices(device("/dev/x", "/etc", "rw")), "devices[0].host_path", "/etc");
    createFails(showing().addDevices(device("/dev/x", "dev/null", "rw")), "devices[0].host_path", "dev/null");
    createFails(showing().addDevices(device("/etc/x", "/dev/null", "rw")), "devices[0].container_path", "/etc/x");
    createFails(showing().addDevices(device("/dev/../etc/x", "/dev/null", "rw")), "devices[0].container_path");
    createFails(showing().addDevices(device("/dev/pts/0", "/dev/null", "rw")), "devices[0].container_path", "/dev/pts");
    createFails(showing().addDevices(device("/dev/x", "/dev/null", "rwx")), "devices[0].permissions", "rwx");
    createFails(showing().addDevices(device("/dev/x", "/dev/null", "")), "devices[0].permissions");
    createFails(
        showing().addDevices(device("/dev/x", "/dev/null", "r")).addDevices(device("/dev/x", "/dev/zero", "r")),
        "devices[1].container_path", "twice");
  }

  @Test
  void partsOfProcAndSysAreMaskedOrReadOnly() {
    running(
        showing(),
        pod -> {
          assertThat(output(pod, "wc -c < /proc/interrupts")).isEqualTo("0");
          assertThat(output(pod, "ls -A /sys/firmware")).isEmpty();
          refused(pod, "echo 1 > /proc/irq/default_smp_affinity", "Read-only file system");
          refused(pod, "echo x > /proc/sys/kernel/domainname", "Read-only file system");
          refused(pod, "mkdir /sys/x", "Read-only file system");
        });
    ContainerConfig.Builder other = showing();
    security(other).addMaskedPaths("/bin/ls").addMaskedPaths("/no/such/path").addReadonlyPaths("/tmp");
    running(
        other,
        pod -> {
          refused(pod, "/bin/ls", "Permission denied");
          refused(pod, "touch /tmp/x", "Read-only file system");
        });
    ContainerConfig.Builder readonly = showing();
    security(readonly).setReadonlyRootfs(true);
    running(readonly, pod -> refused(pod, "touch /x", "Read-only file system"));
  }

  @Test
  void procIsUnmaskedForPodsWithUsersOfTheirOwn() {
    peapod.apply(
        Manifests.pod(
            "unmasked",
            "hostUsers: false",
            Manifests.container("main", "exec sleep 100000", "securityContext: {procMount: Unmasked, seccompProfile: {type: RuntimeDefault}}")
                + Manifests.container("other", "exec sleep 100000", "securityContext: {procMount: Default}")));
    peapod.awaitReady("unmasked");
    String covers = "grep -c ' /proc/' /proc/mounts || true";
    assertThat(peapod.client("exec", "-c", "main", "unmasked", "--", "sh", "-c", covers).ok().strip()).isEqualTo("0");
    assertThat(peapod.client("exec", "-c", "other", "unmasked", "--", "sh", "-c", covers).ok().strip()).isNotEqualTo("0");
    assertThat(peapod.client("exec", "-c", "main", "unmasked", "--", "grep", "Seccomp:", "/proc/self/status").ok()).contains("2");
    peapod.delete("unmasked");
    Shell.Result refused =
        peapod.clientWith(
            Manifests.pod("masked", "", Manifests.container("main", "true", "securityContext: {procMount: Unmasked}")),
            "apply", "-f", "-");
    assertThat(refused.exit()).isNotZero();
    assertThat(refused.err()).contains("procMount").contains("hostUsers");
  }

  /// CVE-2025-31133: what masks files is the null device, whatever somebody put in its place.
  @Test
  void aNullDeviceThatIsAnotherFileIsNotWhatMasks() throws IOException {
    Path dev = Files.createDirectories(peapod.directory().resolve("dev"));
    Path victim = Files.writeString(peapod.directory().resolve("victim"), "host");
    Files.writeString(dev.resolve("null"), "not a device");
    for (String name : List.of("pts", "shm", "mqueue")) {
      Files.createDirectories(dev.resolve(name));
    }
    for (boolean link : new boolean[] {false, true}) {
      if (link) {
        Files.delete(dev.resolve("null"));
        Files.createSymbolicLink(dev.resolve("null"), victim);
      }
      ContainerConfig.Builder container = showing();
      container.addMounts(Mount.newBuilder().setContainerPath("/dev").setHostPath(dev.toString()));
      running(
          container,
          pod -> {
            assertThat(output(pod, "wc -c < /proc/interrupts; wc -c < /proc/keys")).isEqualTo("0\n0");
            refused(pod, "chmod 777 /proc/interrupts", "Read-only file system");
          });
    }
    assertThat(Files.readString(victim)).isEqualTo("host");
  }

  /// CVE-2025-31133, CVE-2025-52881: paths that are swapped while they are masked, made read-only or written through.
  @Test
  void pathsThatAreSwappedWhileTheyAreMaskedLeadNowhere() throws Exception {
    Path tree = Files.createDirectories(peapod.directory().resolve("host-tree"));
    Files.writeString(tree.resolve("secret"), "of the host");
    Files.createDirectories(tree.resolve("deep/er"));
    String before = checksum(tree);
    Path shared = Files.createDirectories(peapod.directory().resolve("shared"));
    Files.writeString(shared.resolve("file"), "plain");
    Files.createDirectories(shared.resolve("directory"));
    Files.createSymbolicLink(shared.resolve("link"), tree.resolve("secret"));
    Files.createSymbolicLink(shared.resolve("up"), Path.of("../../../../../../proc"));
    Path name = Files.writeString(shared.resolve("name"), "first");
    PodSandboxConfig.Builder config = cri.sandbox("swapped");
    String sandbox = cri.run(config);
    Races races = new Races();
    try (Swapper swapper =
        Swapper.of(
            name, shared.resolve("file"), shared.resolve("link"), shared.resolve("directory"), shared.resolve("up"))) {
      while (races.next()) {
        ContainerConfig.Builder container =
            cri.script("swap" + races.attempts(), "wc -c < /proc/interrupts; ls -A /sys/firmware; cat /s/name");
        container.addMounts(Mount.newBuilder().setContainerPath("/s").setHostPath(shared.toString()));
        security(container)
            .addMaskedPaths("/s/name").addMaskedPaths("/proc/interrupts").addMaskedPaths("/sys/firmware")
            .addReadonlyPaths("/s/name").addReadonlyPaths("/proc/sys");
        String id = cri.create(sandbox, config, container);
        cri.start(id);
        cri.awaitExit(id);
        Path log = Path.of(config.getLogDirectory()).resolve(container.getLogPath());
        // Where the path led to /proc, all of that is masked.
        assertThat(CriPods.texts(log).getFirst())
            .as("what is masked stays so")
            .matches("0|.*no such file");
        assertThat(CriPods.texts(log)).as("nothing of the host").noneMatch(t -> t.contains("of the host"));
        peapod.cri().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build());
        races.succeeded();
      }
      swapper.report("masked and read-only paths", races.attempts(), races.successes());
    }
    assertThat(checksum(tree)).isEqualTo(before);
    cri.remove(sandbox);
  }

  private static String checksum(Path tree) {
    return Shell.run("sh", "-c", "cd %s && find . -printf '%%p %%y %%m %%U %%s\\n' -type f -exec sha256sum {} + | sort".formatted(tree)).ok();
  }

  /// CVE-2024-3154, CVE-2026-53488: what other runtimes act on is text here.
  @Test
  void annotationsAndLabelsHaveNoEffect() {
    String see = "ls -1R /dev; cut -d' ' -f2,3 /proc/mounts | sort; grep -E '^(Cap|Sec|NoNew)' /proc/self/status";
    String[] plain = new String[1];
    running(showing(), pod -> plain[0] = output(pod, see));
    ContainerConfig.Builder loaded = showing();
    for (String key :
        List.of(
            "io.kubernetes.cri-o.Devices", "io.kubernetes.cri-o.ShmSize", "io.kubernetes.cri-o.userns-mode",
            "io.kubernetes.cri-o.UnifiedCgroup", "run.oci.mount_context_type", "run.oci.seccomp_bpf_data",
            "run.oci.hooks.stderr", "org.systemd.property.DeviceAllow", "io.containerd.cri.privileged",
            "container.apparmor.security.beta.kubernetes.io/main", "seccomp.security.alpha.kubernetes.io/pod",
            "cdi.k8s.io/all", "dev.peapod.privileged", "io.kubernetes.container.privileged")) {
      loaded.putAnnotations(key, "/dev/kmsg").putLabels(key, "true");
    }
    running(loaded, pod -> assertThat(output(pod, see)).isEqualTo(plain[0]));
  }

  @Test
  void manifestsReachAllOfIt() throws IOException {
    Path owners = Files.createDirectories(peapod.root().resolve("seccomp/some"));
    Files.copy(noChmod(), owners.resolve("no-chmod.json"), StandardCopyOption.REPLACE_EXISTING);
    String probe = "readinessProbe: {exec: {command: [sh, -c, \"grep -q 'Seccomp:.2' /proc/self/status && "
        + "grep -q 'NoNewPrivs:.1' /proc/self/status && grep -q 'CapEff:.0000000000000000' /proc/self/status\"]}, periodSeconds: 1}\n";
    peapod.apply(
        Manifests.pod(
            "secured",
            "securityContext: {seccompProfile: {type: RuntimeDefault}}",
            Manifests.container(
                "main",
                "exec sleep 100000",
                probe + "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, procMount: Default}")
                + Manifests.container(
                    "other",
                    "exec sleep 100000",
                    "securityContext: {seccompProfile: {type: Localhost, localhostProfile: some/no-chmod.json}}")));
    peapod.awaitReady("secured");
    Shell.Result chmod = peapod.client("exec", "-c", "other", "secured", "--", "chmod", "400", "/tmp");
    assertThat(chmod.exit()).isNotZero();
    assertThat(chmod.err()).contains("Invalid cross-device link");
    peapod.delete("secured");
    peapod.apply(
        Manifests.pod(
            "mighty", "", Manifests.container("main", "exec sleep 100000", "securityContext: {privileged: true}")));
    peapod.awaitReady("mighty");
    Shell.Result status = peapod.client("exec", "mighty", "--", "grep", "CapEff", "/proc/self/status");
    assertThat(bits(parse(status.ok()), "CapEff")).isEqualTo(held);
    peapod.delete("mighty");
    Shell.run("rm", "-r", peapod.root().resolve("seccomp").toString()).ok();
  }
}
