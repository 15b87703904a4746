package dev.peapod.engine.container;

import dev.peapod.engine.state.Ids;
import dev.peapod.error.PeapodException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// All containers that are there, of all owners. Thread-safe.
public final class Containers {
  private final Map<String, Container> byId = new ConcurrentHashMap<>();

  /// An owner's container.
  ///
  /// @param id its id or the beginning of it
  public Optional<Container> find(String owner, String id) {
    return Ids.find(byId, id, c -> c.owner().equals(owner));
  }

  /// As [#find(String, String)].
  ///
  /// @throws PeapodException NOT_FOUND if there is none
  public Container get(String owner, String id) {
    return find(owner, id)
        .orElseThrow(() -> PeapodException.notFound("there is no container \"" + id + "\""));
  }

  /// An owner's containers.
  public List<Container> list(String owner) {
    return byId.values().stream().filter(c -> c.owner().equals(owner)).toList();
  }

  /// All of them.
  public Collection<Container> all() {
    return byId.values();
  }

  /// The one of exactly this id, whoever owns it.
  public Optional<Container> byId(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  void add(Container container) {
    byId.put(container.id(), container);
  }

  void remove(Container container) {
    byId.remove(container.id());
  }
}
