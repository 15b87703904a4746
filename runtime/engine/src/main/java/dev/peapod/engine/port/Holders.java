package dev.peapod.engine.port;

import dev.peapod.cni.HeldPort;
import dev.peapod.cni.PortHolder;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.launch.Started;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.BootId;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.Pipes;
import dev.peapod.linux.ProcessIdentity;
import java.net.Inet4Address;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Holds host ports by one native process for each sandbox that has any; it outlives the daemon.
public final class Holders implements PortHolder {
  private static final int SIGKILL = 9;
  private static final long EXIT_SECONDS = 10;

  private final EventLoop loop;
  private final Spawner spawner;
  private final StateStore<StoredHolder> store;
  private final Map<String, StoredHolder> holders = new ConcurrentHashMap<>();

  /// @param store where holders are written down; those that are there are known from the start
  public Holders(EventLoop loop, Spawner spawner, StateStore<StoredHolder> store) {
    this.loop = loop;
    this.spawner = spawner;
    this.store = store;
    for (StoredHolder holder : store.load()) {
      holders.put(holder.sandboxId(), holder);
    }
  }

  @Override
  public void hold(String sandboxId, List<HeldPort> ports) {
    if (ports.isEmpty()) {
      return;
    }
    release(sandboxId);
    // The holder ends by itself if this daemon does before it is written down.
    try (Pipes.Pipe written = Pipes.create()) {
      StoredHolder holder = start(sandboxId, ports, written.read());
      holders.put(sandboxId, holder);
      store.save(holder);
      FdIo.writeAll(written.write(), new byte[1], 0);
    }
  }

  private StoredHolder start(String sandboxId, List<HeldPort> ports, Fd written) {
    LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.HOLDER);
    int slot = plan.give(written);
    for (HeldPort port : ports) {
      plan.add(
          new Operation.Listen(
              port.address() instanceof Inet4Address ? 4 : 6,
              port.protocol().number(),
              port.address().getAddress(),
              port.port(),
              port.target().getAddress(),
              port.targetPort()));
    }
    plan.add(new Operation.Await(slot));
    Started started;
    try {
      started = spawner.launch(plan.build());
    } catch (LaunchException e) {
      throw FailureText.of("host ports", e).asException(e);
    }
    try (Pidfd process = started.process()) {
      return new StoredHolder(
          StoredHolder.VERSION,
          sandboxId,
          BootId.current(),
          new StoredProcess(process.pid(), started.startTime()));
    }
  }

  @Override
  public void release(String sandboxId) {
    StoredHolder holder = holders.get(sandboxId);
    if (holder == null) {
      return;
    }
    StoredProcess stored = holder.process();
    Optional<Pidfd> open =
        new ProcessIdentity(stored.pid(), stored.startTime(), holder.bootId()).open();
    if (open.isPresent()) {
      end(open.get());
    }
    store.delete(sandboxId);
    holders.remove(sandboxId);
  }

  /// Ends the holders of all but these sandboxes; for start-up.
  public void retain(Set<String> sandboxIds) {
    for (String id : Set.copyOf(holders.keySet())) {
      if (!sandboxIds.contains(id)) {
        release(id);
      }
    }
  }

  /// Waits too, since the ports are free only then.
  private void end(Pidfd process) {
    CompletableFuture<Void> exited = new CompletableFuture<>();
    try (process;
        EventLoop.Registration watch = process.onExit(loop, () -> exited.complete(null))) {
      process.signal(SIGKILL);
      exited.get(EXIT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw new PeapodException(
          Kind.INTERNAL, "port holder " + process.pid() + " was killed and did not end", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }
}
