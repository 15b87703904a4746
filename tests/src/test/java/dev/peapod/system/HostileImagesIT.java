package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.ReopenContainerLogRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Images that try to get at the host, as others' runtimes have let them. A tree of the host must
/// stay as it is.
@SuppressWarnings("NullAway.Init")
class HostileImagesIT extends KubeletTest {
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private Victim victim;

  @BeforeEach
  void makeAVictim() {
    victim = Victim.make(peapod.directory().resolve("victim" + NUMBERS.incrementAndGet()));
  }

  @AfterEach
  void nothingOfTheHostHasChanged() {
    victim.assertUntouched();
  }

  /// The name of an image with these files; `VICTIM` stands for the host's tree.
  private String image(String config, String layer) {
    int number = NUMBERS.incrementAndGet();
    Path archive =
        HostileImage.make(
            peapod.directory().resolve("image" + number),
            config,
            layer.replace("VICTIM", victim.path().toString()));
    return pull(archive, "hostile:" + number);
  }

  private ContainerConfig.Builder of(String image, ContainerConfig.Builder container) {
    return container.setImage(ImageSpec.newBuilder().setImage(image));
  }

  @ParameterizedTest
  @ValueSource(strings = {"proc", "sys", "dev"})
  void aDirectoryOfTheKernelIsALink(String name) {
    String image = image("{}", "ln -s VICTIM " + name);
    refused(cri.sandbox("link"), of(image, cri.container("main", "true")), "/" + name);
    String inside = image("{}", "ln -s /tmp " + name);
    refused(cri.sandbox("link"), of(inside, cri.container("main", "true")), "/" + name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"proc", "sys", "dev"})
  void aDirectoryOfTheKernelIsAFile(String name) {
    String image = image("{}", "echo 0 >" + name);
    refused(cri.sandbox("file"), of(image, cri.container("main", "true")), "/" + name);
  }

  @Test
  void theDirectoryOfThePodsFilesIsALink() {
    String image = image("{}", "rm -rf etc; ln -s VICTIM/etc etc");
    assertThat(
            output(
                cri.sandbox("etc"),
                of(image, cri.script("main", "echo mine >/etc/passwd; cat /etc/hostname"))))
        .containsExactly("etc");
  }

  @Test
  void theWorkingDirectoryIsALink() {
    String image =
        image(
            "{\"WorkingDir\": \"/down/made\"}",
            "ln -s VICTIM down; ln -s ../../../../../../../../VICTIM up; ln -s /proc/self/fd fds");
    assertThat(output(cri.sandbox("down"), of(image, cri.script("main", "touch x; ls"))))
        .containsExactly("x");
    assertThat(
            output(
                cri.sandbox("up"),
                of(image, cri.script("main", "touch x; ls").setWorkingDir("/up/made"))))
        .containsExactly("x");
    for (String bad : new String[] {"/proc/self/fd/3", "/proc/../proc/self/cwd", "/fds/3"}) {
      refused(
          cri.sandbox("magic"),
          of(image, cri.container("main", "true")).setWorkingDir(bad),
          bad.startsWith("/fds") ? "/fds/3" : "/proc");
    }
    for (int fd = 0; fd < 24; fd++) {
      String bad = "/fds/" + fd;
      refused(
          cri.sandbox("magic"), of(image, cri.container("main", "true")).setWorkingDir(bad), bad);
    }
  }

  @Test
  void aVolumesTargetIsALink() throws IOException {
    Path volume = Files.createDirectories(peapod.directory().resolve("shown"));
    Files.writeString(volume.resolve("seen"), "");
    String image = image("{}", "ln -s VICTIM data; ln -s VICTIM/made dangling; ln -s loop loop");
    Mount.Builder mount = Mount.newBuilder().setHostPath(volume.toString());
    assertThat(
            output(
                cri.sandbox("data"),
                of(image, cri.script("main", "ls /data/sub /dangling"))
                    .addMounts(mount.clone().setContainerPath("/data/sub"))
                    .addMounts(mount.clone().setContainerPath("/dangling"))))
        .containsExactly("/dangling:", "seen", "", "/data/sub:", "seen");
    refused(
        cri.sandbox("loop"),
        of(image, cri.container("main", "true"))
            .addMounts(mount.clone().setContainerPath("/loop/x")),
        "/loop");
    refused(
        cri.sandbox("proc"),
        of(image, cri.container("main", "true"))
            .addMounts(mount.clone().setContainerPath("/proc/sys")),
        "/proc");
  }

  /// CVE-2025-52881: what a start writes to procfs goes to the kernel, and nothing can be put in its place.
  @Test
  void theKernelsFilesAreMountedOver() throws IOException {
    String image = image("{}", "ln -s proc link; mkdir -p proc/self/attr proc/sys/kernel");
    Path planted = Files.createDirectories(peapod.directory().resolve("planted"));
    for (String name : new String[] {"exec", "oom_score_adj", "ostype"}) {
      Files.writeString(planted.resolve(name), "as it was\n");
    }
    ContainerConfig.Builder through = cri.script("main", "stat -f -c %T /proc/sys/kernel /proc/self/attr; cat /proc/sys/kernel/ostype /proc/self/oom_score_adj");
    through.getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(123);
    for (String target : new String[] {"/link/self/attr", "/link/sys/kernel"}) {
      through.addMounts(Mount.newBuilder().setHostPath(planted.toString()).setContainerPath(target));
    }
    assertThat(output(cri.sandbox("proc"), of(image, through)))
        .containsExactly("proc", "proc", "Linux", "123");
    for (String target : new String[] {"/proc", "/proc/self/attr", "/x/../proc/sys/", "//proc/./sys/kernel"}) {
      refused(
          cri.sandbox("proc"),
          of(image, cri.container("main", "true"))
              .addMounts(Mount.newBuilder().setHostPath(planted.toString()).setContainerPath(target)),
          "in /proc, where nothing can be mounted");
    }
    try (Stream<Path> files = Files.list(planted)) {
      assertThat(files).hasSize(3).allSatisfy(file -> assertThat(file).hasContent("as it was"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "mkfifo etc/passwd,not a regular file",
    "head -c 2000000 /dev/zero | tr '\\0' '\\n' >etc/passwd,longer than",
    "mkdir etc/passwd,not a regular file",
    "mknod etc/passwd c 1 5,not a regular file",
    "ln -s passwd etc/passwd,passwd",
    "ln -s VICTIM/etc/passwd etc/passwd,victim"
  })
  void theListOfUsersIsNoOrdinaryFile(String make, String words) {
    String image = image("{\"User\": \"victim\"}", "mkdir etc; " + make);
    refused(cri.sandbox("users"), of(image, cri.container("main", "true")), words);
  }

  @Test
  void theListOfUsersIsALinkInsideTheImage() {
    String image =
        image(
            "{\"User\": \"app:web\"}",
            "mkdir -p etc other; ln -s /other/passwd etc/passwd; ln -s ../other/group etc/group;"
                + " echo app:x:1234:5:::/bin/sh >other/passwd; echo web:x:77: >other/group");
    assertThat(output(cri.sandbox("linked"), of(image, cri.script("main", "id -u; id -g"))))
        .containsExactly("1234", "77");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "4294967296",
        "4294967295",
        "2147483648",
        "18446744073709551616",
        "1000:4294967296",
        "-1",
        "0x0",
        "+0",
        "nobody:no-such-group",
        "root\\nx:x:0:0:::"
      })
  void theImagesUserWrapsAround(String user) {
    String image = image("{\"User\": \"" + user + "\"}", "mkdir x");
    String sandbox = "overflow";
    PodSandboxConfig.Builder config = cri.sandbox(sandbox);
    refused(config, of(image, cri.container("main", "true")), "container \"main\"");
  }

  @Test
  void aUserOfTheListWrapsAround() {
    String image =
        image(
            "{\"User\": \"big\"}",
            "mkdir etc; echo big:x:4294967296:0:::/bin/sh >etc/passwd; echo x >etc/group");
    refused(cri.sandbox("big"), of(image, cri.container("main", "true")), "big");
  }

  @Test
  void aLineBreakInTheHomeOfTheListOrTheImage() {
    String image =
        image(
            "{\"User\": \"app\"}",
            "mkdir etc; printf 'app:x:7:7::/home\\rroot:/bin/sh\\n' >etc/passwd");
    assertThat(output(cri.sandbox("home"), of(image, cri.script("main", "echo $HOME"))))
        .containsExactly("/");
    String env = image("{\"Env\": [\"PATH=/bin\", \"HOME=/x\\nroot::0:0::/:/bin/sh\"]}", "mkdir x");
    refused(cri.sandbox("home"), of(env, cri.container("main", "true")), "HOME", "line break");
  }

  /// CVE-2021-30465, CVE-2024-45310: a directory of a volume is swapped for a link to the host's tree and back while
  /// containers start that have another volume mounted in it, work in it and make a device in it.
  @Test
  void aPathIsSwappedWhileContainersStart() throws IOException {
    Path volume = Files.createDirectories(peapod.directory().resolve("swapped"));
    Path inner = Files.createDirectories(peapod.directory().resolve("inner"));
    Files.writeString(inner.resolve("inner"), "");
    Path target = Files.createDirectory(volume.resolve("target"));
    Path link = Files.createSymbolicLink(volume.resolve("link"), victim.path());
    Path up = Files.createSymbolicLink(volume.resolve("up"), Path.of("../../../../.." + victim.path()));
    Races races = new Races();
    PodSandboxConfig.Builder config = cri.sandbox("swapped");
    String sandbox = cri.run(config);
    try (Swapper swapper = Swapper.of(target, link, up)) {
      while (races.next()) {
        String container =
            cri.create(
                sandbox,
                config,
                cri.container("c" + races.attempts(), "touch", "/vol/target/in/written")
                    .setWorkingDir("/vol/target/work")
                    .addMounts(
                        Mount.newBuilder().setHostPath(volume.toString()).setContainerPath("/vol"))
                    .addMounts(
                        Mount.newBuilder()
                            .setHostPath(inner.toString())
                            .setContainerPath("/vol/target/in")));
        try {
          cri.start(container);
          races.succeeded();
        } catch (StatusRuntimeException e) {
          // The path led to nothing at the time.
        }
        peapod
            .cri()
            .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container).build());
      }
      swapper.report("a mount's target and the working directory", races.attempts(), races.successes());
    }
    cri.remove(sandbox);
  }

  /// CVE-2019-5736: whatever a container of the pod writes to, what runs next is what was installed.
  @Test
  void ourProgramsAreOverwrittenThroughProc() throws IOException {
    Path programs = Fixtures.HOME.resolve("target/peapod/libexec/peapod");
    String before = Shell.run("sha256sum", programs + "/pause", programs + "/joiner").ok();
    String running = runningProgram();
    PodSandboxConfig.Builder config = cri.sandbox("overwrite");
    String sandbox = cri.run(config);
    String attacker =
        cri.create(
            sandbox,
            config,
            cri.script(
                "attacker",
                "while :; do for exe in /proc/[0-9]*/exe /proc/self/exe; do"
                    + " { echo overwritten >$exe; } 2>/dev/null;"
                    + " (exec 3<$exe; echo overwritten >/proc/self/fd/3) 2>/dev/null;"
                    + " done; done"));
    cri.start(attacker);
    for (int i = 0; i < 30; i++) {
      assertThat(exec(attacker, "echo fine")).isEqualTo("fine");
      // It asks for the program that starts it to be started, in its own root.
      String again =
          cri.create(sandbox, config, cri.container("again" + i, "/proc/self/exe", "spawner"));
      try {
        cri.start(again);
      } catch (StatusRuntimeException e) {
        // Nor must it run.
      }
    }
    assertThat(exec(attacker, "{ echo x >/proc/1/exe; } 2>&1 | sed 's/.*: //'"))
        .isIn("Permission denied", "Text file busy", "Operation not permitted");
    assertThat(output(sandbox, config, cri.script("after", "echo fine"))).containsExactly("fine");
    assertThat(runningProgram()).isEqualTo(running);
    cri.remove(sandbox);
    assertThat(Shell.run("sha256sum", programs + "/pause", programs + "/joiner").ok())
        .isEqualTo(before);
  }

  /// The checksum of what the daemon starts all programs by.
  private String runningProgram() {
    String spawner = Shell.run("pgrep", "-P", "" + peapod.pid(), "joiner-spawner").ok().strip();
    return Shell.run("sha256sum", "/proc/" + spawner + "/exe").ok();
  }

  @Test
  void theLogIsALink() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("log");
    Path log = Path.of(config.getLogDirectory()).resolve("main.log");
    Files.createSymbolicLink(log, victim.path().resolve("file"));
    String sandbox = cri.run(config);
    String container = cri.create(sandbox, config, cri.script("main", "echo overwritten"));
    assertThatThrownBy(() -> cri.start(container))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("symbolic link");
    cri.remove(sandbox);
    Files.delete(log);
  }

  /// Who may write to the logs' directory has the log be a link when it is opened anew, as after a rotation.
  @Test
  void theLogIsALinkWhenItIsOpenedAnew() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("rotated");
    CriPods.Started pod = cri.start(config, cri.script("main", "echo fine; sleep 100000"));
    Files.move(pod.log(), pod.log().resolveSibling("rotated.log"));
    Files.createSymbolicLink(pod.log(), victim.path().resolve("file"));
    assertThatThrownBy(
            () ->
                peapod
                    .cri()
                    .reopenContainerLog(
                        ReopenContainerLogRequest.newBuilder().setContainerId(pod.container()).build()))
        .isInstanceOf(StatusRuntimeException.class);
    cri.remove(pod.sandbox());
    Files.delete(pod.log());
  }

  /// CVE-2025-52565: a terminal is the container's own, whatever a `/dev` that is mounted has in its place.
  @Test
  void theTerminalOfADeviceDirectoryIsALink() throws IOException {
    for (String links : new String[] {"console ptmx tty", "pts", "pts/ptmx pts/0 console"}) {
      Path dev = Files.createDirectories(peapod.directory().resolve("dev" + NUMBERS.incrementAndGet()));
      for (String name : new String[] {"pts", "shm", "mqueue"}) {
        if (!links.equals(name)) {
          Files.createDirectories(dev.resolve(name));
        }
      }
      for (String link : links.split(" ")) {
        Path to = link.equals("pts") ? victim.path() : victim.path().resolve("file");
        Files.createSymbolicLink(dev.resolve(link), to);
      }
      PodSandboxConfig.Builder config = cri.sandbox("terminal");
      ContainerConfig.Builder container =
          cri.script("main", "echo overwritten; echo overwritten > /dev/console; exit 0")
              .setTty(true)
              .addMounts(Mount.newBuilder().setHostPath(dev.toString()).setContainerPath("/dev"));
      String sandbox = cri.run(config);
      String id = cri.create(sandbox, config, container);
      try {
        cri.start(id);
        cri.awaitExit(id);
      } catch (StatusRuntimeException e) {
        // It may be refused as well.
      }
      cri.remove(sandbox);
      victim.assertUntouched();
    }
  }
}
