package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.KeyValue;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.SupplementalGroupsPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What containers share, what they do not, and who they are, seen from inside and from outside.
class IsolationIT extends KubeletTest {
  private static final String FORGED = "2001:db8:bad:bad";

  /// Sends one router advertisement with a prefix to all that is on the link.
  private static final String ADVERTISE =
      """
      use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
      my $index;
      for (my $try = 0; !$index && $try < 200; $try++) {
        open(my $list, '<', '/proc/net/if_inet6') or die;
        while (<$list>) {
          my ($address, $number, undef, undef, $flags, $name) = split;
          $index = hex $number if $name eq 'eth0' && $address =~ /^fe80/ && !(hex($flags) & 0x40);
        }
        select(undef, undef, undef, 0.05) unless $index;
      }
      $index or die 'eth0 has no usable link-local address';
      socket(my $socket, AF_INET6, SOCK_RAW, 58) or die $!;
      setsockopt($socket, 41, 18, pack('i', 255)) or die $!;
      my $advertisement = pack('CCnCCnNN', 134, 0, 0, 64, 0, 600, 0, 0)
        . pack('CCCCNNN', 3, 4, 64, 0xc0, 600, 600, 0) . inet_pton(AF_INET6, '2001:db8:bad:bad::');
      send($socket, $advertisement, 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, 'ff02::1'), $index))
        or die $!;
      """;

  private static LinuxContainerSecurityContext.Builder security(ContainerConfig.Builder container) {
    return container.getLinuxBuilder().getSecurityContextBuilder();
  }

  private static NamespaceOption.Builder namespaces(ContainerConfig.Builder container) {
    return security(container).getNamespaceOptionsBuilder();
  }

  private static NamespaceOption.Builder namespaces(PodSandboxConfig.Builder config) {
    return config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder();
  }

  private static Int64Value id(long value) {
    return Int64Value.newBuilder().setValue(value).build();
  }

  private static String own(String namespace) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)).toString();
  }

  @Test
  void everyPidMode() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("pids");
    String sandbox = cri.run(config);
    String read = "readlink /proc/self/ns/pid; tr '\\0' ' ' </proc/1/cmdline";
    List<String> shared = output(sandbox, config, cri.script("shared", read));
    assertThat(shared).element(1).asString().startsWith("pause");
    ContainerConfig.Builder alone = cri.container("alone", "sleep", "100120");
    namespaces(alone).setPid(NamespaceMode.CONTAINER);
    String target = cri.create(sandbox, config, alone);
    cri.start(target);
    String its = exec(target, "readlink /proc/1/ns/pid");
    assertThat(its).isNotEqualTo(shared.getFirst());
    ContainerConfig.Builder debugger = cri.script("debugger", read);
    namespaces(debugger).setPid(NamespaceMode.TARGET).setTargetId(target);
    assertThat(output(sandbox, config, debugger)).containsExactly(its, "sleep 100120 ");
    ContainerConfig.Builder host = cri.script("host", read);
    namespaces(host).setPid(NamespaceMode.NODE);
    assertRefused(() -> cri.create(sandbox, config, host), "namespace_options.pid");
    ContainerConfig.Builder lost = cri.script("lost", read);
    namespaces(lost).setPid(NamespaceMode.TARGET);
    assertRefused(() -> cri.create(sandbox, config, lost), "target_id");
    cri.remove(sandbox);

    PodSandboxConfig.Builder onHost = cri.sandbox("host-pids");
    namespaces(onHost).setPid(NamespaceMode.NODE);
    assertThat(output(onHost, host)).element(0).isEqualTo(own("pid"));
  }

  @Test
  void memoryAndQueuesAreThePods() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("ipc");
    String sandbox = cri.run(config);
    String first = cri.create(sandbox, config, cri.container("first", "sleep", "100121"));
    cri.start(first);
    assertThat(
            exec(
                first,
                "echo shared >/dev/shm/x; mkdir /dev/mqueue/q 2>/dev/null; touch"
                    + " /dev/mqueue/queue"))
        .isEmpty();
    String read = "cat /dev/shm/x; ls /dev/mqueue; readlink /proc/self/ns/ipc; hostname";
    List<String> second = output(sandbox, config, cri.script("second", read));
    assertThat(second).startsWith("shared", "queue").endsWith("ipc").doesNotContain(own("ipc"));
    cri.remove(sandbox);
    PodSandboxConfig.Builder onHost = cri.sandbox("host-ipc");
    namespaces(onHost).setIpc(NamespaceMode.NODE);
    assertThat(
            output(
                onHost,
                cri.script("main", "readlink /proc/self/ns/ipc; readlink /proc/self/ns/net")))
        .element(0)
        .isEqualTo(own("ipc"));
  }

  @Test
  void descriptorsDoNotLeak() {
    CriPods.Started pod =
        cri.start(cri.sandbox("descriptors"), cri.container("main", "sleep", "100122"));
    assertThat(exec(pod.container(), "ls /proc/$$/fd; ls -l /proc/$$/cwd | sed 's/.*-> //'"))
        .isEqualTo("0\n1\n2\n/");
    int pid = PodProcesses.of(peapod, "sleep 100122").getFirst().pid();
    assertThat(Shell.run("ls", "/proc/" + pid + "/fd").ok()).isEqualTo("0\n1\n2\n");
    cri.remove(pod.sandbox());
  }

  @Test
  void groupsAndCapabilitiesAreExactInStartAndExec() {
    PodSandboxConfig.Builder config = cri.sandbox("groups");
    String sandbox = cri.run(config);
    String show = "id -u; id -G; grep Cap /proc/self/status; exec sleep 100123";
    ContainerConfig.Builder container = cri.script("main", show);
    security(container)
        .setRunAsUser(id(1000))
        .setRunAsGroup(id(1001))
        .addSupplementalGroups(7)
        .addSupplementalGroups(70_000)
        .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict);
    String id = cri.create(sandbox, config, container);
    cri.start(id);
    String expected =
        """
        1000
        1001 7 70000
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t00000000a80425fb
        CapAmb:\t0000000000000000\
        """;
    assertThat(exec(id, "id -u; id -G; grep Cap /proc/self/status")).isEqualTo(expected);
    Path log = Path.of(cri.status(id).getLogPath());
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(String.join("\n", CriPods.texts(log))).isEqualTo(expected));
    ContainerConfig.Builder groupAlone = cri.container("group", "true");
    security(groupAlone).setRunAsGroup(id(5));
    assertRefused(() -> cri.create(sandbox, config, groupAlone), "run_as_group");
    cri.remove(sandbox);
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        -1,
        1L << 31,
        (1L << 31) + 1,
        (1L << 32) - 1,
        1L << 32,
        (1L << 32) + 1000,
        Long.MAX_VALUE,
        Long.MIN_VALUE
      })
  void idsThatWouldWrapAround(long id) {
    ContainerConfig.Builder user = cri.container("main", "true");
    security(user).setRunAsUser(id(id));
    refused(cri.sandbox("wrap"), user, "run_as_user", Long.toString(id));
    ContainerConfig.Builder group = cri.container("main", "true");
    security(group).setRunAsUser(id(1)).setRunAsGroup(id(id));
    refused(cri.sandbox("wrap"), group, "run_as_group", Long.toString(id));
    ContainerConfig.Builder more = cri.container("main", "true");
    security(more).addSupplementalGroups(id);
    refused(cri.sandbox("wrap"), more, "supplemental_groups", Long.toString(id));
  }

  @Test
  void theLastIdIsThatId() {
    ContainerConfig.Builder container =
        cri.script("main", "id -u; grep -h '[UG]id' /proc/self/status");
    security(container).setRunAsUser(id(Integer.MAX_VALUE)).setRunAsGroup(id(Integer.MAX_VALUE));
    String four = "2147483647\t2147483647\t2147483647\t2147483647";
    assertThat(output(cri.sandbox("last"), container))
        .containsExactly("2147483647", "Uid:\t" + four, "Gid:\t" + four);
  }

  /// A manifest that forbids root is not met by an image whose user would wrap around to 0.
  @Test
  void nonRootIsNotWrappedAround() {
    for (String user : List.of("4294967296", "0")) {
      Path archive =
          HostileImage.make(
              peapod.directory().resolve("user-" + user),
              "{\"User\": \"" + user + "\"}",
              "echo " + user + " >user");
      peapod.client("image", "load", "-i", archive.toString()).ok();
      peapod.apply(
          Manifests.pod(
                  "nonroot", "securityContext: {runAsNonRoot: true}\n", Manifests.idle("main"))
              .replace(Fixtures.BUSYBOX, "localhost/hostile:1"));
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> peapod.pod("nonroot").orElseThrow().getStatus(),
              status -> status.contains("Error"));
      assertThat(PodProcesses.of(peapod, "sleep")).isEmpty();
      peapod.client("delete", "pod", "nonroot", "--now").ok();
      peapod.client("image", "rm", "localhost/hostile:1").ok();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1\n", "1\nkernel.core_pattern=|/x", "1+kernel.x=1", "1\0", "1\r"})
  void charactersThatEndASysctl(String value) {
    PodSandboxConfig.Builder config = cri.sandbox("sysctl");
    config.getLinuxBuilder().putSysctls("net.ipv4.ip_unprivileged_port_start", value);
    refused(config, "net.ipv4.ip_unprivileged_port_start");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kernel.core_pattern",
        "kernel/core_pattern",
        "net.ipv4.conf.all/../../../../kernel.core_pattern",
        "kernel.shm/../core_pattern",
        "vm.swappiness",
        "fs.file-max"
      })
  void sysctlsOfTheHost(String name) {
    PodSandboxConfig.Builder config = cri.sandbox("sysctl");
    config.getLinuxBuilder().putSysctls(name, "1");
    refused(config, "sysctls");
  }

  /// What would be set for the whole machine, because the pod has not that namespace of its own.
  @Test
  void sysctlsOfNamespacesThatAreTheHosts() {
    PodSandboxConfig.Builder network = cri.sandbox("sysctl");
    namespaces(network).setNetwork(NamespaceMode.NODE);
    for (String name : List.of("net.ipv4.ip_forward", "net/ipv4/ip_forward", "kernel.domainname")) {
      network.getLinuxBuilder().clearSysctls().putSysctls(name, "1");
      refused(network, "sysctls[\"" + name + "\"]");
    }
    PodSandboxConfig.Builder ipc = cri.sandbox("sysctl");
    namespaces(ipc).setIpc(NamespaceMode.NODE);
    for (String name : List.of("kernel.shmmax", "kernel.msgmax", "kernel.sem", "fs.mqueue.msg_max")) {
      ipc.getLinuxBuilder().clearSysctls().putSysctls(name, "1");
      refused(ipc, "sysctls[\"" + name + "\"]");
    }
  }

  @Test
  void sysctlsOfThePod() {
    PodSandboxConfig.Builder config = cri.sandbox("sysctl");
    config
        .getLinuxBuilder()
        .putSysctls("kernel.shm_rmid_forced", "1")
        .putSysctls("fs.mqueue.msg_max", "11")
        .putSysctls("kernel.domainname", "peas.example")
        .putSysctls("net.ipv4.ip_local_port_range", "1024 65000");
    assertThat(
            output(
                config,
                cri.script(
                    "main",
                    "cd /proc/sys; cat kernel/shm_rmid_forced kernel/domainname fs/mqueue/msg_max"
                        + " net/ipv4/ip_local_port_range")))
        .containsExactly("1", "peas.example", "11", "1024\t65000");
  }

  @Test
  void lineBreaksInWhatEndsUpInFilesOfLines() {
    ContainerConfig.Builder home =
        cri.container("main", "true")
            .addEnvs(
                KeyValue.newBuilder()
                    .setKey("HOME")
                    .setValue(ByteString.copyFromUtf8("/x\nroot::0:0:::")));
    refused(cri.sandbox("lines"), home, "HOME");
    for (String name : List.of("nobody\nroot", "nobody\r", "a\0b")) {
      ContainerConfig.Builder user = cri.container("main", "true");
      security(user).setRunAsUsername(name);
      refused(cri.sandbox("lines"), user, "run_as_username");
    }
    refused(cri.sandbox("lines").setHostname("a\nb"), "hostname");
    PodSandboxConfig.Builder dns = cri.sandbox("lines");
    dns.getDnsConfigBuilder().addServers("10.0.0.1\noptions x");
    refused(dns, "dns_config");
  }

  /// resolv.conf(5) as the pod's DNS config has it, the host's own where there is none, and the pod's name.
  @Test
  void theNamesOfThePod() throws IOException {
    String script = "cat /etc/resolv.conf; hostname; cat /etc/hostname";
    PodSandboxConfig.Builder config = cri.sandbox("names").setHostname("somebody");
    assertThat(output(config, cri.script("main", script)))
        .containsExactlyElementsOf(
            Stream.concat(
                    Files.readAllLines(Path.of("/etc/resolv.conf")).stream(),
                    Stream.of("somebody", "somebody"))
                .toList());
    config
        .getDnsConfigBuilder()
        .addServers("192.0.2.53")
        .addServers("2001:db8::53")
        .addSearches("peas.example")
        .addSearches("example")
        .addOptions("ndots:3")
        .addOptions("edns0");
    assertThat(output(config, cri.script("main", script)))
        .containsExactly(
            "search peas.example example",
            "nameserver 192.0.2.53",
            "nameserver 2001:db8::53",
            "options ndots:3 edns0",
            "somebody",
            "somebody");
  }

  @Test
  void maskedFilesNeverShowWhatTheyCover() {
    PodSandboxConfig.Builder config = cri.sandbox("masks");
    String sandbox = cri.run(config);
    String script =
        "cat /proc/kcore /proc/keys /proc/timer_list /proc/interrupts 2>/dev/null | wc -c; ls"
            + " /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v : | grep . ; echo 1"
            + " 2>/dev/null >/proc/sysrq-trigger && echo written; stat -f -c %T /proc /proc/sys";
    for (int i = 0; i < 20; i++) {
      assertThat(output(sandbox, config, cri.script("masked" + i, script)))
          .containsExactly("0", "proc", "proc");
    }
    cri.remove(sandbox);
  }

  @Test
  void whatRunsInAPodIsInItsCgroup() throws IOException {
    CriPods.Started pod =
        cri.start(cri.sandbox("placed"), cri.container("main", "sleep", "100124"));
    exec(pod.container(), "sleep 100124 >/dev/null 2>&1 & sleep 100124 >/dev/null 2>&1 &");
    for (String pid : Shell.run("pgrep", "-f", "sleep 100124").ok().strip().split("\n")) {
      for (String line : Files.readAllLines(Path.of("/proc", pid, "cgroup"))) {
        // What systemd names its groups by is not a controller.
        if (!line.contains(":name=")) {
          assertThat(line).contains(peapod.cgroup() + "/" + pod.sandbox() + "/" + pod.container());
        }
      }
    }
    assertThat(PodProcesses.of(peapod, "sleep 100124")).hasSize(3);
    cri.remove(pod.sandbox());
  }

  /// Annotations that mean something to other runtimes, and labels that look like ours, change
  /// nothing.
  @Test
  void annotationsHaveNoEffect() {
    String show =
        "grep -E 'Cap|Seccomp|NoNewPrivs|Uid' /proc/self/status; ls /dev; ulimit -a; umask";
    List<String> plain = output(cri.sandbox("plain"), cri.script("main", show));
    PodSandboxConfig.Builder config =
        cri.sandbox("plain")
            .putAnnotations("io.kubernetes.cri-o.Devices", "/dev/kmsg:/dev/kmsg:rwm")
            .putAnnotations("io.kubernetes.cri-o.userns-mode", "auto")
            .putAnnotations("io.kubernetes.cri-o.umask", "000")
            .putAnnotations("dev.peapod/first-user", "1");
    ContainerConfig.Builder container =
        cri.script("main", show)
            .putAnnotations("run.oci.keep_original_groups", "1")
            .putAnnotations("io.kubernetes.cri-o.Devices", "/dev/kmsg:/dev/kmsg:rwm")
            .putAnnotations("seccomp.security.alpha.kubernetes.io/pod", "unconfined")
            .putLabels("io.cri-containerd.kind", "sandbox");
    assertThat(output(config, container)).isEqualTo(plain);
  }

  @Test
  void nobodyElseReadsOurState() throws IOException {
    CriPods.Started pod = cri.start(cri.sandbox("state"), cri.container("main", "sleep", "100125"));
    for (Path top : List.of(peapod.state(), peapod.root())) {
      assertThat(Files.getPosixFilePermissions(top)).as("%s", top).allMatch(IsolationIT::isOwners);
    }
    List<Path> open = new ArrayList<>();
    // A pod's own files are for its users to read, once they are mounted; notes on the network lie in directories.
    Path ofPods = peapod.state().resolve("pods");
    Path ofNetwork = peapod.state().resolve("network");
    try (Stream<Path> found = Files.walk(peapod.state())) {
      for (Path path : found.toList()) {
        boolean counts =
            Files.isDirectory(path)
                ? !path.startsWith(ofPods) || path.equals(ofPods)
                : !path.startsWith(ofPods) && !path.startsWith(ofNetwork);
        if (counts
            && !Files.getPosixFilePermissions(path).stream().allMatch(IsolationIT::isOwners)) {
          open.add(path);
        }
      }
    }
    assertThat(open).isEmpty();
    cri.remove(pod.sandbox());
  }

  private static boolean isOwners(PosixFilePermission permission) {
    return permission.name().startsWith("OWNER");
  }

  @Test
  void aPodOnTheHostsNetworkFindsNoSocketOfOurs() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("abstract");
    namespaces(config).setNetwork(NamespaceMode.NODE);
    ContainerConfig.Builder container = cri.container("main", "sleep", "100126");
    namespaces(container).setNetwork(NamespaceMode.NODE);
    CriPods.Started pod = cri.start(config, container);
    Set<String> ours = new TreeSet<>();
    for (String pid :
        Shell.run("pgrep", "-f", "peapodd|joiner|monitor|spawner").ok().strip().split("\n")) {
      Shell.run("ls", "-l", "/proc/" + pid + "/fd")
          .out()
          .lines()
          .filter(line -> line.contains("socket:["))
          .map(line -> line.replaceAll(".*socket:\\[(\\d+)\\].*", "$1"))
          .forEach(ours::add);
    }
    assertThat(ours).isNotEmpty();
    String[] sockets =
        exec(pod.container(), "grep -c . /proc/net/unix; grep '@' /proc/net/unix || true")
            .split("\n");
    assertThat(Integer.parseInt(sockets[0])).isPositive();
    assertThat(sockets)
        .noneMatch(line -> line.split(" +").length > 6 && ours.contains(line.split(" +")[6]));
    cri.remove(pod.sandbox());
  }

  @Test
  void noRouterIsBelieved() {
    assertThat(
            output(
                cri.sandbox("router"),
                cri.script(
                    "main",
                    "cat /proc/sys/net/ipv6/conf/default/accept_ra"
                        + " /proc/sys/net/ipv6/conf/eth0/accept_ra")))
        .containsExactly("0", "0");
  }

  /// CVE-2020-10749: a container that says it is a router gives the host neither route nor address.
  @Test
  void aForgedRouterAdvertisementIsIgnored() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("forger");
    CriPods.Started pod = cri.start(config, cri.container("main", "sleep", "100127"));
    Path acceptance = Path.of("/proc/sys/net/ipv6/conf", peapod.bridge(), "accept_ra");
    int pid = PodProcesses.await(peapod, "sleep 100127", 1).getFirst().pid();
    advertise(pid);
    assertThat(learnt()).isEmpty();
    // The same one is believed by a host that believes any, so it was ours that did not.
    Files.writeString(acceptance, "2");
    try {
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () -> {
                advertise(pid);
                return learnt().contains(FORGED);
              });
    } finally {
      Files.writeString(acceptance, "0");
      Shell.run("ip", "-6", "route", "flush", "dev", peapod.bridge(), "proto", "ra");
      Shell.run("ip", "-6", "address", "flush", "dev", peapod.bridge(), "scope", "global");
      Shell.run("ip", "-6", "route", "flush", FORGED + "::/64");
    }
    cri.remove(pod.sandbox());
  }

  /// What the host knows about the forged network, and of default routes into the pods' bridge.
  private String learnt() {
    return Stream.of("route", "address")
        .flatMap(
            what -> Shell.run("ip", "-6", "-o", what, "show", "dev", peapod.bridge()).ok().lines())
        .filter(line -> line.contains(FORGED) || line.startsWith("default"))
        .collect(Collectors.joining("\n"));
  }

  private static void advertise(int pid) {
    Shell.run("nsenter", "-t", Integer.toString(pid), "-n", "perl", "-e", ADVERTISE).ok();
  }

  @Test
  void limitsAndEnvironmentAreTheSameForAll() {
    ContainerConfig.Builder container =
        cri.script("main", "ulimit -Sn; ulimit -Hn; umask; env | cut -d= -f1 | head -2; echo $A $B")
            .addEnvs(variable("A", "1"))
            .addEnvs(variable("B", "x y"))
            .addEnvs(variable("A", "last"));
    List<String> lines = output(cri.sandbox("limits"), container);
    assertThat(lines.getFirst()).isEqualTo("1024");
    assertThat(Integer.parseInt(lines.get(1))).isLessThanOrEqualTo(524_288);
    assertThat(lines.get(2)).isEqualTo("0022");
    assertThat(lines.getLast()).isEqualTo("last x y");
  }

  private static KeyValue variable(String name, String value) {
    return KeyValue.newBuilder().setKey(name).setValue(ByteString.copyFromUtf8(value)).build();
  }
}
