package dev.peapod.engine.stream;

import dev.peapod.engine.container.Container;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import dev.peapod.linux.EventLoop;
import java.nio.file.Path;

/// What the monitors of running containers are asked for. Thread-safe.
public final class Monitors {
  private final EventLoop loop;
  private final Path sockets;

  /// @param sockets the directory of the monitors' sockets, each named after its container
  public Monitors(EventLoop loop, Path sockets) {
    this.loop = loop;
    this.sockets = sockets;
  }

  /// Attaches to a container's main process.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it does not run, RESOURCE_EXHAUSTED if eight others
  ///     are attached
  public StreamSession attach(Container container, StreamOptions options) {
    requireRunning(container);
    return new AttachSession(loop, container, sockets.resolve(container.id()), options);
  }

  /// Has the log opened anew by its path, after a rotation.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the container does not run
  public void reopenLog(Container container) {
    requireRunning(container);
    byte[] request = {MonitorSocket.REOPEN_LOG};
    int errno = MonitorSocket.ask(loop, sockets.resolve(container.id()), request);
    if (errno != 0) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "reopening the log of " + container.title() + " failed: " + Errno.describe(errno));
    }
  }

  private static void requireRunning(Container container) {
    if (container.state() != ContainerState.RUNNING) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          container.title() + " is not running: it is " + container.state());
    }
  }
}
