package dev.peapod.engine.state;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Names that are taken, per owner. Thread-safe.
public final class NameReservations {
  private final Map<String, String> idsByName = new ConcurrentHashMap<>();

  /// Takes a name for an id; taking it again for the same id does nothing.
  ///
  /// @throws PeapodException ALREADY_EXISTS if another has it
  public void reserve(String owner, String name, String id) {
    String holder = idsByName.putIfAbsent(owner + "/" + name, id);
    if (holder != null && !holder.equals(id)) {
      throw new PeapodException(Kind.ALREADY_EXISTS, "name \"" + name + "\" is taken by " + holder);
    }
  }

  /// Gives a name back, if that id has it.
  public void release(String owner, String name, String id) {
    idsByName.remove(owner + "/" + name, id);
  }
}
