package dev.peapod.dns;

import java.util.Optional;

/// The names that a server knows by itself. Asked on the server's one thread: it must be quick and must not wait.
public interface Zone {
  /// The name that all of the zone is within: nothing below it is asked of others.
  Name apex();

  /// For how many seconds answers are good.
  int seconds();

  /// What there is of a name.
  ///
  /// @param type as [Types] has them
  /// @return empty: others are to be asked
  Optional<Answer> find(Name name, int type);
}
