package dev.peapod.engine.container;

import java.util.Optional;

/// Reads files of a container's root filesystem without ever leaving it.
@FunctionalInterface
interface RootFiles {
  /// The contents of a regular file, or nothing where there is none.
  ///
  /// @throws dev.peapod.linux.KernelException EFBIG if it is larger than `max` bytes, EINVAL if it
  ///     is not a regular file
  Optional<byte[]> read(String path, int max);
}
