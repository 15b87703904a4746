package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.engine.stream.StreamSession;
import dev.peapod.linux.Fd;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/// What one token lets its holder do once.
public sealed interface Ticket {
  /// The first part of the path that it is redeemed at.
  String verb();

  /// A process whose streams are passed on.
  ///
  /// @param verb `exec` or `attach`
  /// @param open starts or attaches; blocks
  record Command(String verb, StreamOptions options, Supplier<StreamSession> open)
      implements Ticket {}

  /// Ports of a pod.
  ///
  /// @param ports those that the request named; clients that name them for each connection do not need it to
  /// @param connect answers a connected socket that does not block; blocks itself
  record PortForward(List<Integer> ports, IntFunction<Fd> connect) implements Ticket {
    public PortForward {
      ports = List.copyOf(ports);
    }

    @Override
    public String verb() {
      return "portforward";
    }
  }
}
