package dev.peapod.engine.exec;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.OomScores;
import dev.peapod.engine.container.ProcessOperations;
import dev.peapod.engine.launch.CloneFlags;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.launch.Stage;
import dev.peapod.engine.launch.Started;
import dev.peapod.engine.model.ExecResult;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.engine.stream.StreamSession;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Pipes;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Runs commands in containers and collects what they write. Thread-safe.
public final class ExecService {
  private static final Duration KILLED = Duration.ofSeconds(10);
  private static final long ALL_NAMESPACES =
      CloneFlags.NEWNS
          | CloneFlags.NEWNET
          | CloneFlags.NEWIPC
          | CloneFlags.NEWUTS
          | CloneFlags.NEWPID
          | CloneFlags.NEWCGROUP;

  private final EventLoop loop;
  private final Spawner spawner;
  private final Cgroups cgroups;
  private final ContainerSecurity security;
  private final OutputBudget outputs = new OutputBudget();
  private final AtomicLong numbers = new AtomicLong(System.currentTimeMillis());

  public ExecService(
      EventLoop loop, Spawner spawner, Cgroups cgroups, ContainerSecurity security) {
    this.loop = loop;
    this.spawner = spawner;
    this.cgroups = cgroups;
    this.security = security;
  }

  /// Runs a command to its end, as the container's user and in its environment.
  ///
  /// @param timeout zero: none
  /// @return its exit code and the beginning of what it wrote: at most 16 MiB, less where many commands write much at a time
  /// @throws PeapodException FAILED_PRECONDITION if the container does not run, DEADLINE_EXCEEDED
  ///     if the command, with all that it started, was killed after the timeout
  public ExecResult run(Container container, List<String> command, Duration timeout) {
    check(container, command);
    try (Fd main = container.mainProcess();
        ExecCgroup cgroup = cgroup(container);
        Pipes.Pipe out = Pipes.create();
        Pipes.Pipe err = Pipes.create();
        OutputBudget.Share share = outputs.share();
        Collector output = new Collector(out.read(), share);
        Collector errors = new Collector(err.read(), share)) {
      LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.EXEC);
      int stdout = plan.give(out.write());
      int stderr = plan.give(err.write());
      plan.add(new Operation.Stdio(Operation.DEFAULT_STREAM, stdout, stderr));
      Started started = launch(plan, container, command, cgroup, main, false);
      out.close();
      err.close();
      started.process().close();
      output.start(loop);
      errors.start(loop);
      int status = await(container, command, timeout, cgroup.cgroup(), started);
      return new ExecResult(output.finish(), errors.finish(), exitCode(status));
    }
  }

  /// Starts a command whose streams the caller holds.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the container does not run, INVALID or NOT_FOUND
  ///     if the command can not be executed
  public StreamSession start(Container container, List<String> command, StreamOptions options) {
    check(container, command);
    ExecCgroup cgroup = cgroup(container);
    try (Fd main = container.mainProcess();
        ExecPipes pipes = ExecPipes.make(options)) {
      LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.EXEC);
      plan.add(pipes.give(plan));
      Started started = launch(plan, container, command, cgroup, main, options.tty());
      started.process().close();
      return new ExecSession(loop, container.title(), cgroup, started, pipes);
    } catch (RuntimeException e) {
      cgroup.close();
      throw e;
    }
  }

  /// @throws PeapodException INVALID if that is no command
  public static void check(Container container, List<String> command) {
    if (command.isEmpty() || command.getFirst().isEmpty()) {
      throw PeapodException.invalid("exec in " + container.title() + ": cmd is empty");
    }
    if (command.stream().anyMatch(word -> word.indexOf('\0') >= 0)) {
      throw PeapodException.invalid(
          "exec in " + container.title() + ": cmd has a NUL character in it");
    }
  }

  private ExecCgroup cgroup(Container container) {
    String name = "exec-" + numbers.incrementAndGet();
    return new ExecCgroup(cgroups.open(container.cgroup()).subgroup(name));
  }

  /// Adds to a plan that says where the streams go all that says who executes what, and runs it.
  private Started launch(
      LaunchPlan.Builder plan,
      Container container,
      List<String> command,
      ExecCgroup cgroup,
      Fd main,
      boolean tty) {
    int process = plan.give(main);
    try (ContainerSecurity.Grant granted =
        security.grant(container.status().spec(), container.security())) {
      granted.give(plan);
      CgroupEntries.of(cgroup.cgroup()).enter(plan);
      plan.add(OomScores.atStart(container.status().spec().resources().oomScoreAdj()));
      plan.add(new Operation.Setns(Stage.POD, process, ALL_NAMESPACES));
      if (tty) {
        plan.add(Operation.Tty.STANDARD);
      }
      Optional<ProcessOperations.UserJoin> users =
          Optional.ofNullable(container.sandbox().spec().userNamespace())
              .map(own -> new ProcessOperations.UserJoin(own, process, false));
      ResolvedProcess as = tty ? container.process().onTerminal() : container.process();
      ProcessOperations.process(plan, as, granted, command, users);
      return spawner.launch(plan.build());
    } catch (LaunchException e) {
      throw FailureText.of("exec in " + container.title(), e).asException(e);
    }
  }

  private static int await(
      Container container,
      List<String> command,
      Duration timeout,
      Cgroup cgroup,
      Started started) {
    return new ProcessEnd(
            started,
            cgroup,
            KILLED,
            () ->
                "command \""
                    + String.join(" ", command)
                    + "\" in "
                    + container.title()
                    + " timed out after "
                    + timeout.toMillis() / 1000.0
                    + " s; it was killed",
            () -> "a command in " + container.title() + " was killed and did not end")
        .await(timeout);
  }

  /// The exit code of a status of waitpid(2).
  static int exitCode(int status) {
    int signal = status & 0x7f;
    return signal == 0 ? status >> 8 & 0xff : 128 + signal;
  }
}
