package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.IDMapping;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.UserNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Pods whose root is nobody on the host.
class UserNamespacesIT extends KubeletTest {
  private static final int FIRST = 1_000_000;
  private static final int COUNT = 65_536;

  private static IDMapping.Builder mapping(int host, int container, int length) {
    return IDMapping.newBuilder().setHostId(host).setContainerId(container).setLength(length);
  }

  private static UserNamespace.Builder users() {
    return UserNamespace.newBuilder()
        .setMode(NamespaceMode.POD)
        .addUids(mapping(FIRST, 0, COUNT))
        .addGids(mapping(FIRST, 0, COUNT));
  }

  private PodSandboxConfig.Builder sandbox(String name, UserNamespace.Builder users) {
    PodSandboxConfig.Builder config = cri.sandbox(name);
    namespaces(config).setUsernsOptions(users);
    return config;
  }

  private static NamespaceOption.Builder namespaces(PodSandboxConfig.Builder config) {
    return config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder();
  }

  private static NamespaceOption.Builder namespaces(ContainerConfig.Builder container) {
    return container.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder();
  }

  @Test
  void thePodsRootIsNobodyOnTheHost() throws IOException {
    PodSandboxConfig.Builder config = sandbox("users", users());
    config.getLinuxBuilder().putSysctls("net.ipv4.ip_unprivileged_port_start", "7");
    config.getLinuxBuilder().putSysctls("kernel.shm_rmid_forced", "1");
    String sandbox = cri.run(config);
    String container =
        cri.create(sandbox, config, cri.script("main", "touch /root/made; exec sleep 100100"));
    cri.start(container);

    assertThat(exec(container, "cat /proc/self/uid_map /proc/self/gid_map"))
        .containsPattern("^ *0 +1000000 +65536\n *0 +1000000 +65536$");
    // What the container sees belongs to its own root, down to the devices and the pod's files.
    assertThat(
            exec(
                container,
                "id -u; stat -c '%u:%g %n' / /bin/busybox /dev /dev/null /dev/shm /etc/passwd"
                    + " /etc/hosts /root/made; hostname; ip link add d0 type dummy 2>&1"))
        .isEqualTo(
            """
            0
            0:0 /
            0:0 /bin/busybox
            0:0 /dev
            0:0 /dev/null
            0:0 /dev/shm
            0:0 /etc/passwd
            0:0 /etc/hosts
            0:0 /root/made
            users
            ip: RTNETLINK answers: Operation not permitted\
            """);
    assertThat(
            exec(
                container,
                "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
                    + " /proc/sys/kernel/shm_rmid_forced; echo x >/dev/shm/x; echo out"
                    + " >/dev/stdout; mount -t tmpfs none /mnt 2>&1"))
        .isEqualTo("7\n1\nout\nmount: permission denied (are you root?)");

    for (PodProcesses.Found process : PodProcesses.of(peapod)) {
      String status = Files.readString(Path.of("/proc/" + process.pid(), "status"));
      assertThat(status).contains("Uid:\t1000000\t1000000\t1000000\t1000000");
      assertThat(status).contains("Gid:\t1000000\t1000000\t1000000\t1000000");
    }
    Path made = peapod.root().resolve("containers/" + container + "/upper/root/made");
    assertThat(Files.getAttribute(made, "unix:uid")).isEqualTo(FIRST);

    NamespaceOption options =
        peapod
            .cri()
            .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(sandbox).build())
            .getStatus()
            .getLinux()
            .getNamespaces()
            .getOptions();
    assertThat(options.getUsernsOptions()).isEqualTo(users().build());
    cri.remove(sandbox);
  }

  @Test
  void usersAndGroupsAreThoseOfTheNamespace() {
    PodSandboxConfig.Builder config = sandbox("others", users());
    ContainerConfig.Builder container =
        cri.script(
            "main", "id; echo again >/proc/self/fd/1; cd /tmp && touch x && stat -c %u:%g x");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setRunAsUser(Int64Value.newBuilder().setValue(33))
        .setRunAsGroup(Int64Value.newBuilder().setValue(7))
        .addSupplementalGroups(40_000);
    assertThat(output(config, container))
        .containsExactly("uid=33(www-data) gid=7 groups=7,40000", "again", "33:7");
  }

  @Test
  void everyPidModeAndATerminal() {
    PodSandboxConfig.Builder config = sandbox("modes", users());
    String sandbox = cri.run(config);
    ContainerConfig.Builder own = cri.script("own", "echo $$; ls -ld /proc/1/ns/pid | wc -l");
    namespaces(own).setPid(NamespaceMode.CONTAINER);
    assertThat(output(sandbox, config, own)).containsExactly("1", "1");
    ContainerConfig.Builder tty =
        cri.script("tty", "test -t 0 && tty; stat -c %u:%g $(tty)").setTty(true);
    assertThat(output(sandbox, config, tty)).containsExactly("/dev/pts/0", "0:5");
    cri.remove(sandbox);
  }

  /// A container with the capability to mount has it over its own mounts, and can not take away
  /// what was mounted for it.
  @Test
  void capabilitiesReachNoFurtherThanThePod() {
    PodSandboxConfig.Builder config = sandbox("capable", users());
    ContainerConfig.Builder container =
        cri.script(
            "main",
            "mount -t tmpfs none /mnt && echo mounted; umount /proc/kcore 2>/dev/null || echo kept;"
                + " ip addr add 10.99.0.1/32 dev lo && echo networked;"
                + " mount -o remount,rw /proc/sys 2>/dev/null || echo read-only;"
                + " mknod /tmp/sda b 8 0 2>/dev/null || echo no device");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getCapabilitiesBuilder()
        .addAddCapabilities("ALL");
    assertThat(output(config, container))
        .containsExactly("mounted", "kept", "networked", "read-only", "no device");
  }

  @Test
  void volumesAreMappedWhereAskedFor() throws IOException {
    Path volume = Files.createDirectories(peapod.directory().resolve("volume"));
    Files.writeString(volume.resolve("roots"), "");
    PodSandboxConfig.Builder config = sandbox("volumes", users());
    Mount.Builder mapped =
        Mount.newBuilder()
            .setHostPath(volume.toString())
            .setContainerPath("/mapped")
            .addUidMappings(mapping(FIRST, 0, COUNT))
            .addGidMappings(mapping(FIRST, 0, COUNT));
    Mount.Builder plain =
        Mount.newBuilder().setHostPath(volume.toString()).setContainerPath("/plain");
    ContainerConfig.Builder container =
        cri.script(
                "main",
                "stat -c %u /mapped/roots /plain/roots; touch /mapped/made; chown 33:33"
                    + " /mapped/made; touch /plain/made 2>/dev/null || echo not allowed")
            .addMounts(mapped)
            .addMounts(plain);
    assertThat(output(config, container)).containsExactly("0", "65534", "not allowed");
    Map<String, Object> made = Files.readAttributes(volume.resolve("made"), "unix:uid,gid");
    assertThat(made).containsEntry("uid", 33).containsEntry("gid", 33);
  }

  @Test
  void aNewDaemonAdoptsThem() {
    PodSandboxConfig.Builder config = sandbox("adopted", users());
    CriPods.Started pod = cri.start(config, cri.container("main", "sleep", "100101"));
    peapod.kill();
    peapod.start();
    assertThat(exec(pod.container(), "id -u; cat /proc/self/uid_map"))
        .startsWith("0\n")
        .contains("1000000");
    String again = cri.create(pod.sandbox(), config, cri.container("second", "sleep", "100102"));
    cri.start(again);
    ContainerStatus status =
        peapod
            .cri()
            .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(again).build())
            .getStatus();
    assertThat(status.getStartedAt()).isPositive();
    cri.remove(pod.sandbox());
  }

  @Test
  void aManifestAsksForThemAndNoTwoPodsShareAny() {
    for (String name : List.of("own-users", "more-users")) {
      peapod.apply(
          Manifests.pod(
              name,
              "hostUsers: false\nvolumes: [{name: data, emptyDir: {}}]\n",
              Manifests.container(
                  "main",
                  "touch /data/x; stat -c %u /data/x /etc/hosts /dev/termination-log; cat"
                      + " /proc/self/uid_map; exec sleep 100103",
                  "volumeMounts: [{name: data, mountPath: /data}]")));
      peapod.awaitReady(name);
    }
    String first = peapod.client("logs", "own-users").ok();
    String second = peapod.client("logs", "more-users").ok();
    assertThat(first).matches("0\n0\n0\n +0 +1073741824 +65536\n");
    assertThat(second).matches("0\n0\n0\n +0 +1073807360 +65536\n");
    // The pod goes on as the users that it has, under a new daemon too.
    peapod.kill();
    peapod.start();
    PodProcesses.await(peapod, "sleep 100103", 1).getFirst().kill();
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> PodProcesses.of(peapod, "sleep 100103").size() == 2);
    peapod.delete("own-users");
    peapod.delete("more-users");
    Shell.Result refused =
        peapod.clientWith(
            Manifests.sleeper("bad").replace("spec:", "spec:\n  hostUsers: false\n  hostPID: true"),
            "apply",
            "-f",
            "-");
    assertThat(refused.exit()).isNotZero();
    assertThat(refused.err()).contains("spec.hostPID").contains("hostUsers");
  }

  @Test
  void wrongMappingsAreRefused() {
    String field = "userns_options";
    UserNamespace.Builder of = UserNamespace.newBuilder().setMode(NamespaceMode.POD);
    refused(sandbox("bad", of.clone()), field, "0 mappings");
    refused(sandbox("bad", users().addUids(mapping(FIRST + COUNT, COUNT, 1))), field, "2 mappings");
    refused(sandbox("bad", users().addGids(mapping(9, 9, 1))), field, "gids", "2 mappings");
    refused(sandbox("bad", users().setUids(0, mapping(FIRST, 5, COUNT))), field, "container_id 5");
    refused(sandbox("bad", users().setUids(0, mapping(FIRST, 0, 0))), field, "length of 0");
    refused(sandbox("bad", users().setGids(0, mapping(0, 0, COUNT))), field, "host_id 0");
    refused(sandbox("bad", users().setUids(0, mapping(-2, 0, 2))), field, "last id");
    refused(sandbox("bad", users().setUids(0, mapping(-1, 0, 1))), field, "last id");
    refused(sandbox("bad", users().setMode(NamespaceMode.NODE)), field, "NODE");
    refused(sandbox("bad", users().setMode(NamespaceMode.TARGET)), field, "mode");
    PodSandboxConfig.Builder host = sandbox("bad", users());
    namespaces(host).setNetwork(NamespaceMode.NODE);
    refused(host, field, "host's network");
  }

  @Test
  void whatDoesNotFitThePodIsRefused() {
    ContainerConfig.Builder outside = cri.container("main", "true");
    outside
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setRunAsUser(Int64Value.newBuilder().setValue(COUNT));
    refused(sandbox("unfit", users()), outside, "user 65536", "0 to 65535");
    ContainerConfig.Builder group = cri.container("main", "true");
    group.getLinuxBuilder().getSecurityContextBuilder().addSupplementalGroups(70_000);
    refused(sandbox("unfit", users()), group, "group 70000");
    ContainerConfig.Builder other = cri.container("main", "true");
    namespaces(other).setUsernsOptions(users().setUids(0, mapping(FIRST + 1, 0, COUNT)));
    refused(sandbox("unfit", users()), other, "userns_options", "sandbox");
    ContainerConfig.Builder unasked = cri.container("main", "true");
    namespaces(unasked).setUsernsOptions(users());
    refused(cri.sandbox("unfit"), unasked, "userns_options", "sandbox");
    ContainerConfig.Builder mount = cri.container("main", "true");
    mount.addMounts(
        Mount.newBuilder()
            .setHostPath("/tmp")
            .setContainerPath("/mnt")
            .addUidMappings(mapping(FIRST + 1, 0, COUNT))
            .addGidMappings(mapping(FIRST, 0, COUNT)));
    refused(sandbox("unfit", users()), mount, "uidMappings", "sandbox");
  }
}
