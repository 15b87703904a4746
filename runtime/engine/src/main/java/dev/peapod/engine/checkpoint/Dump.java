package dev.peapod.engine.checkpoint;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerTools;
import dev.peapod.engine.exec.ProcessEnd;
import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.CloneFlags;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Stage;
import dev.peapod.engine.launch.Started;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.MountInfo;
import dev.peapod.linux.Mounts;
import dev.peapod.linux.Open;
import dev.peapod.linux.cgroup.Cgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Has criu save the processes of a container, which go on running.
///
/// criu joins all namespaces of the container but those of PIDs and mounts, so it takes only these two for parts of what
/// it saves. Every mount but the root, `/proc` and what of `/proc` is read-only is left out: it is put there anew when the
/// container is restored.
final class Dump {
  private static final long JOINED =
      CloneFlags.NEWNET | CloneFlags.NEWIPC | CloneFlags.NEWUTS | CloneFlags.NEWCGROUP;
  private static final int READ_WRITE = 2;
  private static final Duration KILLED = Duration.ofSeconds(30);

  private final ContainerTools tools;
  private final Container container;
  private final Path directory;

  /// @param directory an empty one, for the images and logs
  Dump(ContainerTools tools, Container container, Path directory) {
    this.tools = tools;
    this.container = container;
    this.directory = directory;
  }

  /// Answers when all is saved.
  ///
  /// @param timeout after which criu is killed
  /// @throws PeapodException FAILED_PRECONDITION with criu's own reason if it refuses, DEADLINE_EXCEEDED
  void run(Duration timeout) throws IOException {
    Path images = Files.createDirectory(directory.resolve(Layout.IMAGES));
    Path said = directory.resolve("said");
    Cgroup cgroup = tools.cgroups().create(container.cgroup() + "-criu");
    try (Fd main = container.mainProcess();
        Fd output = Fd.create(said.toString(), READ_WRITE | Open.EXCL, 0600)) {
      int pid = container.status().pid();
      Files.write(images.resolve(Layout.DESCRIPTORS), Descriptions.array(streams(pid)));
      List<String> command = Criu.dump(pid, images, mounts(pid));
      LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.EXEC);
      int process = plan.give(main);
      int out = plan.give(output);
      plan.add(new Operation.Stdio(Operation.DEFAULT_STREAM, out, out));
      CgroupEntry entry = CgroupEntries.of(cgroup);
      plan.add(entry.kill());
      entry.enter(plan);
      plan.add(new Operation.Setns(Stage.POD, process, JOINED));
      plan.add(new Operation.Exec(command, Criu.ENVIRONMENT));
      int status =
          new ProcessEnd(
                  launch(plan.build()),
                  cgroup,
                  KILLED,
                  () ->
                      title()
                          + "criu was not done within "
                          + timeout.toSeconds()
                          + " s; it was killed",
                  () -> title() + "criu was killed and did not end")
              .await(timeout);
      if (status != 0) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            title() + "criu refuses: " + Criu.reason(said, images.resolve(Layout.LOG)));
      }
    } finally {
      cgroup.remove();
    }
  }

  private String title() {
    return container.title() + " can not be saved: ";
  }

  private Started launch(LaunchPlan plan) {
    try {
      Started started = tools.spawner().launch(plan);
      started.process().close();
      return started;
    } catch (LaunchException e) {
      throw FailureText.of("saving " + container.title(), e).asException(e);
    }
  }

  /// What its standard streams are: pipes lead to its monitor.
  private static List<String> streams(int pid) throws IOException {
    List<String> streams = new ArrayList<>();
    for (int fd = 0; fd <= 2; fd++) {
      Path link = Path.of("/proc/" + pid + "/fd/" + fd);
      streams.add(
          Files.exists(link, LinkOption.NOFOLLOW_LINKS)
              ? Files.readSymbolicLink(link).toString()
              : "");
    }
    return streams;
  }

  /// Its mounts that are not part of what is saved.
  private List<String> mounts(int pid) {
    List<String> external = new ArrayList<>();
    List<MountInfo> mounts;
    try {
      mounts = Mounts.of(pid);
    } catch (KernelException e) {
      throw new PeapodException(Kind.FAILED_PRECONDITION, title() + "it has ended", e);
    }
    for (MountInfo mount : mounts) {
      String path = mount.mountPoint().toString();
      boolean proc = path.equals("/proc") || path.startsWith("/proc/");
      if (path.equals("/") || proc && mount.type().equals("proc")) {
        continue;
      }
      if (path.indexOf(']') >= 0) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION, title() + "criu takes no mount whose path has a ]: " + path);
      }
      external.add(path);
    }
    return external;
  }
}
