package dev.peapod.engine.sandbox;

import dev.peapod.engine.state.Ids;
import dev.peapod.error.PeapodException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// All sandboxes that are there, of all owners. Thread-safe.
public final class Sandboxes {
  private final Map<String, Sandbox> byId = new ConcurrentHashMap<>();

  /// An owner's sandbox.
  ///
  /// @param id its id or the beginning of it
  public Optional<Sandbox> find(String owner, String id) {
    return Ids.find(byId, id, s -> s.owner().equals(owner));
  }

  /// As [#find(String, String)].
  ///
  /// @throws PeapodException NOT_FOUND if there is none
  public Sandbox get(String owner, String id) {
    return find(owner, id)
        .orElseThrow(() -> PeapodException.notFound("there is no sandbox \"" + id + "\""));
  }

  /// An owner's sandboxes.
  public List<Sandbox> list(String owner) {
    return byId.values().stream().filter(s -> s.owner().equals(owner)).toList();
  }

  /// All of them.
  public Collection<Sandbox> all() {
    return byId.values();
  }

  /// The one of exactly this id, whoever owns it.
  public Optional<Sandbox> byId(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  void add(Sandbox sandbox) {
    byId.put(sandbox.id(), sandbox);
  }

  void remove(Sandbox sandbox) {
    byId.remove(sandbox.id());
  }
}
