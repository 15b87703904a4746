package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.proto.runtime.v1.IDMapping;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.UserNamespace;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which users of the host the users of pods are that have some of their own (`hostUsers: false`):
/// 65,536 for each sandbox, from 2^30 on, where a kubelet on the same machine gives out none.
/// Thread-safe.
///
/// What is given out is written down with the sandboxes themselves, as an annotation.
final class UserRanges {
  static final int COUNT = 1 << 16;
  private static final int FIRST = 1 << 30;

  private final Set<Integer> taking = new HashSet<>();

  /// Takes the lowest range that no sandbox has.
  ///
  /// @param sandboxes all that the runtime has now
  /// @throws PeapodException RESOURCE_EXHAUSTED if there is none
  synchronized int take(List<PodSandbox> sandboxes) {
    Set<Integer> used = new HashSet<>(taking);
    sandboxes.forEach(s -> of(s).ifPresent(used::add));
    for (int first = FIRST; first > 0; first += COUNT) {
      if (used.add(first)) {
        taking.add(first);
        return first;
      }
    }
    throw new PeapodException(Kind.RESOURCE_EXHAUSTED, "all ranges of users are taken by pods");
  }

  /// The sandbox that a range was taken for is there, or will not be.
  synchronized void done(int first) {
    taking.remove(first);
  }

  /// The first user of the host that a sandbox has for its own.
  static Optional<Integer> of(PodSandbox sandbox) {
    return Optional.ofNullable(sandbox.getAnnotationsMap().get(Labels.FIRST_USER))
        .map(Integer::valueOf);
  }

  /// A range as the CRI says it.
  static UserNamespace namespace(int first) {
    IDMapping mapping = mapping(first);
    return UserNamespace.newBuilder()
        .setMode(NamespaceMode.POD)
        .addUids(mapping)
        .addGids(mapping)
        .build();
  }

  private static IDMapping mapping(int first) {
    return IDMapping.newBuilder().setHostId(first).setContainerId(0).setLength(COUNT).build();
  }
}
