package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.DebugRequest;
import dev.peapod.proto.peapod.v1.PodExecStart;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "debug",
    description = {
      "Adds an ephemeral container to a running pod, with tools that its own images lack.",
      "It stays part of the pod until the pod is gone, and is never started again.",
      "With --copy-to the pod stays as it is: a copy of it gets the container."
    },
    footer = {
      "",
      "A shell that sees the processes of container app:",
      "  peapod debug -it web --image busybox --target app -- sh",
      "A copy whose container app runs a shell instead:",
      "  peapod debug -it web --copy-to web-debug -c app -- sh",
      "What it wrote is in `peapod logs`; `peapod attach` goes back to one that still runs.",
      "With -t, Ctrl-P Ctrl-Q lets go of the terminal; the container runs on."
    })
final class Debug implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final Duration MOMENT = Duration.ofSeconds(5);

  @ParentCommand private Root root = new Root();
  @Mixin private OnePod pod = new OnePod();

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "-- COMMAND",
      description = "Instead of the image's own.")
  private List<String> command = List.of();

  @Option(
      names = "--image",
      paramLabel = "IMAGE",
      defaultValue = "",
      description = "What it runs.")
  private String image = "";

  @Option(
      names = "--target",
      paramLabel = "CONTAINER",
      defaultValue = "",
      description = "See the processes of this container, where the pod does not share them all.")
  private String target = "";

  @Option(
      names = {"-c", "--container"},
      paramLabel = "NAME",
      defaultValue = "",
      description = "Its name (default: debugger-XXXXX); of a copy, also one that the pod has.")
  private String container = "";

  @Option(
      names = {"-i", "--stdin"},
      description = "Keep its input open, and attach to it.")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "Give it a terminal.")
  private boolean tty;

  @Option(
      names = "--attach",
      negatable = true,
      description = "Wait until it runs and attach to it (default with -i); --no-attach: do not.")
  private @Nullable Boolean attach;

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "Set an environment variable.")
  private Map<String, String> environment = new LinkedHashMap<>();

  @Option(
      names = "--image-pull-policy",
      paramLabel = "POLICY",
      defaultValue = "",
      description = "Always, IfNotPresent or Never.")
  private String pullPolicy = "";

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      defaultValue = "general",
      description =
          "What it may do: general (may trace processes), baseline, restricted, netadmin or sysadmin"
              + " (privileged); default: general.")
  private String profile = "general";

  @Option(
      names = "--copy-to",
      paramLabel = "NAME",
      defaultValue = "",
      description = "Make a copy of the pod, without its labels, annotations and probes.")
  private String copy = "";

  @Option(
      names = "--set-image",
      split = ",",
      paramLabel = "CONTAINER=IMAGE",
      description = "Other images for containers of the copy; * for all.")
  private Map<String, String> images = new LinkedHashMap<>();

  @Option(
      names = "--share-processes",
      arity = "0..1",
      fallbackValue = "true",
      paramLabel = "true|false",
      description = "Whether the copy's containers see each other's processes.")
  private @Nullable Boolean share;

  @Option(names = "--same-node", hidden = true)
  private boolean sameNode;

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    boolean attaching = attach == null ? stdin : attach;
    DebugRequest.Builder request =
        DebugRequest.newBuilder()
            .setNamespace(pod.namespace())
            .setName(pod.name())
            .setContainer(container)
            .setImage(image)
            .setImagePullPolicy(pullPolicy)
            .setTarget(target)
            .addAllCommand(command)
            .putAllEnv(environment)
            .setStdin(stdin)
            .setTty(tty)
            .setProfile(profile)
            .setCopyTo(copy)
            .putAllSetImage(images);
    if (share != null) {
      request.setShareProcesses(share);
    }
    try (Daemon daemon = new Daemon(root)) {
      String name = daemon.pods().debug(request.build()).getContainer();
      if (!attaching || name.isEmpty()) {
        System.out.println(
            copy.isEmpty()
                ? "container \"" + name + "\" added to pod " + pod.name()
                : "pod/" + copy + " created");
        System.out.flush();
        return 0;
      }
      System.err.println("container \"" + name + "\"");
      return awaitStart(daemon, name).getState().equals("running")
          ? attach(daemon, name)
          : ended(daemon, name);
    }
  }

  private void check() {
    if (sameNode) {
      throw new Failure("--same-node says nothing here: every pod runs on this machine", Main.USAGE);
    }
    if (copy.isEmpty()) {
      if (!images.isEmpty() || share != null) {
        throw new Failure(
            (share == null ? "--set-image" : "--share-processes")
                + " may only be used with --copy-to",
            Main.USAGE);
      }
      if (image.isEmpty()) {
        throw new Failure("--image says what the container runs; it is missing", Main.USAGE);
      }
    } else if (!target.isEmpty()) {
      throw new Failure(
          "--target is incompatible with --copy-to. Use --share-processes instead.", Main.USAGE);
    }
  }

  /// The pod that has the container.
  private String subject() {
    return copy.isEmpty() ? pod.name() : copy;
  }

  private int attach(Daemon daemon, String name) throws IOException, InterruptedException {
    boolean terminal = tty && Screen.inIsTerminal();
    if (tty && stdin) {
      System.err.println("If you don't see a command prompt, try pressing enter.");
    }
    PodExecStart start =
        PodExecStart.newBuilder()
            .setNamespace(pod.namespace())
            .setName(subject())
            .setContainer(name)
            .setStdin(stdin)
            .setTty(terminal)
            .build();
    RemoteCommand attached = new RemoteCommand(daemon.podsAsync()::attach, start);
    try {
      attached.runHere(stdin, terminal, true);
    } catch (StatusRuntimeException e) {
      if (hasEnded(daemon, name)) {
        return ended(daemon, name);
      }
      throw e;
    }
    // What ends in a copy is started again as the pod says: there is no last exit code.
    return attached.isLeft() || !copy.isEmpty() ? 0 : awaitEnd(daemon, name).getExitCode();
  }

  /// Whether it is over, or will be known to be in a moment.
  private boolean hasEnded(Daemon daemon, String name) {
    try {
      await(daemon, name, MOMENT, Debug::isOver);
      return true;
    } catch (Failure e) {
      return false;
    }
  }

  private static boolean isOver(ContainerSummary container) {
    return container.getState().equals("terminated");
  }

  /// It was over before anybody could attach.
  private int ended(Daemon daemon, String name) {
    ContainerSummary end = awaitEnd(daemon, name);
    daemon
        .pods()
        .logs(
            PodLogsRequest.newBuilder()
                .setNamespace(pod.namespace())
                .setName(subject())
                .setContainer(name)
                .build())
        .forEachRemaining(
            logs ->
                logs.getLinesList()
                    .forEach(
                        line -> {
                          System.out.print(line.getText().toStringUtf8());
                          System.out.print(line.getPartial() ? "" : "\n");
                        }));
    System.out.flush();
    return end.getExitCode();
  }

  private ContainerSummary awaitStart(Daemon daemon, String name) {
    return await(daemon, name, PATIENCE, c -> !c.getState().equals("waiting"));
  }

  private ContainerSummary awaitEnd(Daemon daemon, String name) {
    return await(daemon, name, PATIENCE, Debug::isOver);
  }

  private ContainerSummary await(
      Daemon daemon, String name, Duration patience, Predicate<ContainerSummary> wanted) {
    PodSelector selector =
        PodSelector.newBuilder().setNamespace(pod.namespace()).setName(subject()).build();
    AtomicReference<@Nullable ContainerSummary> seen = new AtomicReference<>();
    Waiting.until(
        daemon,
        selector,
        patience,
        (summary, gone) -> {
          if (gone) {
            throw new Failure("pod " + summary.getName() + " was deleted meanwhile");
          }
          Optional<ContainerSummary> found = find(summary, name).filter(wanted);
          found.ifPresent(seen::set);
          return found.isPresent();
        });
    ContainerSummary found = seen.get();
    if (found == null) {
      throw new Failure("container " + name + " is not there");
    }
    return found;
  }

  private static Optional<ContainerSummary> find(PodSummary pod, String name) {
    Optional<ContainerSummary> found =
        pod.getContainersList().stream().filter(c -> c.getName().equals(name)).findFirst();
    if (found.isPresent() && Waiting.isHopeless(found.get().getReason())) {
      throw new Failure(
          "container "
              + name
              + " does not start: "
              + (found.get().getMessage().isEmpty()
                  ? found.get().getReason()
                  : found.get().getMessage()));
    }
    return found;
  }
}
