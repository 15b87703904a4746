package dev.peapod.engine;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The directories of the engine's volatile state, readable for the daemon alone.
///
/// @param sandboxes state files of sandboxes
/// @param containers state files of containers
/// @param exits exit records, written by monitors
/// @param control sockets of monitors
/// @param pods a directory for each pod, with the files that its containers see
/// @param holders state files of port holders
/// @param networks state files of networks that no sandbox has yet
/// @param netns pins of network namespaces
/// @param aside state files that could not be read; made when needed
record StateDirectories(
    Path state,
    Path sandboxes,
    Path containers,
    Path exits,
    Path control,
    Path pods,
    Path holders,
    Path networks,
    Path netns,
    Path aside) {
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  static StateDirectories make(EngineConfig config) {
    Path state = config.state();
    StateDirectories d =
        new StateDirectories(
            state,
            state.resolve("sandboxes"),
            state.resolve("containers"),
            state.resolve("exits"),
            state.resolve("control"),
            state.resolve("pods"),
            state.resolve("holders"),
            state.resolve("networks"),
            config.netns(),
            state.resolve("set-aside"));
    try {
      for (Path directory : d.own()) {
        Files.createDirectories(directory, PRIVATE);
      }
      Files.createDirectories(d.netns);
    } catch (IOException e) {
      throw PeapodException.internal("making directories below " + state + " failed: " + e, e);
    }
    return d;
  }

  private List<Path> own() {
    return List.of(sandboxes, containers, exits, control, pods, holders, networks);
  }

  /// Removes those that are empty; the state directory itself is the caller's.
  void remove() throws IOException {
    for (Path directory : own()) {
      removeIfEmpty(directory);
    }
    if (netns.startsWith(state)) {
      removeIfEmpty(netns);
    }
  }

  private static void removeIfEmpty(Path directory) throws IOException {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      // What is in there is not ours to remove, or is yet to be looked at.
    }
  }
}
