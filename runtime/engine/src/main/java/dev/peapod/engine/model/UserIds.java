package dev.peapod.engine.model;

import java.util.List;

/// The numbers that a container's first process runs with.
public record UserIds(long uid, long gid, List<Long> groups) {
  public UserIds {
    groups = List.copyOf(groups);
  }
}
