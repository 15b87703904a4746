package dev.peapod.engine.model;

/// A pod's own user namespace: which users of the host its users are (user_namespaces(7)).
public record UserNamespace(Ids uids, Ids gids) {
  /// Ids of the host, from `first` on, that are 0 to `count` - 1 in the namespace.
  public record Ids(long first, long count) {
    /// Whether an id of the namespace is anybody.
    public boolean has(long id) {
      return id >= 0 && id < count;
    }

    /// What an id of the namespace is on the host.
    public long onHost(long id) {
      return first + id;
    }

    /// As the line of `uid_map` or `gid_map`.
    public String map() {
      return "0 " + first + " " + count + "\n";
    }
  }
}
