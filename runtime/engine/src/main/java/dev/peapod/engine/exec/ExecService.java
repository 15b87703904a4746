package dev.peapod.engine.exec;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.container.Container;
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
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Pipes;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/// Runs commands in containers and collects what they write. Thread-safe.
public final class ExecService {
  private static final int MAX_OUTPUT = 16 << 20;
  private static final long KILLED_SECONDS = 10;
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
  private final AtomicLong numbers = new AtomicLong(System.currentTimeMillis());

  public ExecService(EventLoop loop, Spawner spawner, Cgroups cgroups) {
    this.loop = loop;
    this.spawner = spawner;
    this.cgroups = cgroups;
  }

  /// Runs a command to its end, as the container's user and in its environment.
  ///
  /// @param timeout zero: none
  /// @return its exit code and at most 16 MiB of each output
  /// @throws PeapodException FAILED_PRECONDITION if the container does not run, DEADLINE_EXCEEDED
  ///     if the command, with all that it started, was killed after the timeout
  public ExecResult run(Container container, List<String> command, Duration timeout) {
    if (command.isEmpty() || command.getFirst().isEmpty()) {
      throw PeapodException.invalid("exec in " + container.title() + ": cmd is empty");
    }
    if (command.stream().anyMatch(word -> word.indexOf('\0') >= 0)) {
      throw PeapodException.invalid(
          "exec in " + container.title() + ": cmd has a NUL character in it");
    }
    String name = "exec-" + numbers.incrementAndGet();
    try (Fd main = container.mainProcess();
        ExecCgroup group = new ExecCgroup(cgroups.open(container.cgroup()).subgroup(name));
        Pipes.Pipe out = Pipes.create();
        Pipes.Pipe err = Pipes.create();
        Collector stdout = new Collector(out.read(), MAX_OUTPUT);
        Collector stderr = new Collector(err.read(), MAX_OUTPUT)) {
      LaunchPlan plan = plan(container, command, group.cgroup, main, out.write(), err.write());
      Started started;
      try {
        started = spawner.launch(plan);
      } catch (LaunchException e) {
        throw FailureText.of("exec in " + container.title(), e).asException(e);
      }
      out.close();
      err.close();
      started.process().close();
      stdout.start(loop);
      stderr.start(loop);
      int status = await(container, command, timeout, group.cgroup, started);
      return new ExecResult(stdout.finish(), stderr.finish(), exitCode(status));
    }
  }

  /// The cgroup of one command, removed if nothing is left in it; else it goes with the container.
  private record ExecCgroup(Cgroup cgroup) implements AutoCloseable {
    @Override
    public void close() {
      if (cgroup.processes().isEmpty()) {
        cgroup.remove();
      }
    }
  }

  private static LaunchPlan plan(
      Container container, List<String> command, Cgroup cgroup, Fd main, Fd out, Fd err) {
    LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.EXEC);
    int process = plan.give(main);
    int stdout = plan.give(out);
    int stderr = plan.give(err);
    plan.add(new Operation.Stdio(Operation.DEFAULT_STREAM, stdout, stderr));
    CgroupEntries.of(cgroup).enter(plan);
    plan.add(new Operation.Setns(Stage.POD, process, ALL_NAMESPACES));
    Optional<ProcessOperations.UserJoin> users =
        Optional.ofNullable(container.sandbox().spec().userNamespace())
            .map(own -> new ProcessOperations.UserJoin(own, process, false));
    ProcessOperations.process(plan, container.status().spec(), container.process(), command, users);
    return plan.build();
  }

  private static int await(
      Container container,
      List<String> command,
      Duration timeout,
      Cgroup cgroup,
      Started started) {
    CompletableFuture<Integer> exited = started.exited();
    try {
      if (!timeout.isPositive()) {
        return exited.get();
      }
      try {
        return exited.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        cgroup.kill();
        exited.get(KILLED_SECONDS, TimeUnit.SECONDS);
        throw new PeapodException(
            Kind.DEADLINE_EXCEEDED,
            "command \""
                + String.join(" ", command)
                + "\" in "
                + container.title()
                + " timed out after "
                + timeout.toMillis() / 1000.0
                + " s; it was killed",
            e);
      }
    } catch (TimeoutException e) {
      throw new PeapodException(
          Kind.INTERNAL, "a command in " + container.title() + " was killed and did not end", e);
    } catch (ExecutionException e) {
      cgroup.kill();
      if (e.getCause() instanceof PeapodException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      cgroup.kill();
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }

  /// The exit code of a status of waitpid(2).
  static int exitCode(int status) {
    int signal = status & 0x7f;
    return signal == 0 ? status >> 8 & 0xff : 128 + signal;
  }
}
