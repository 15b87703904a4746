package dev.peapod.pods.files;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/// Files that are there whole or not at all, also after a power cut: temp, fsync, rename, fsync.
public final class AtomicFiles {
  private AtomicFiles() {}

  /// Writes a file that only its owner can read, and its directory if it is missing.
  ///
  /// @throws PeapodException INTERNAL if that fails
  public static void write(Path file, byte[] content) {
    Path directory = file.resolveSibling(".").normalize();
    Path temp = directory.resolve("." + file.getFileName());
    try {
      boolean isNew = !Files.isDirectory(directory);
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      try (FileChannel channel =
          FileChannel.open(
              temp,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rw-------"));
        ByteBuffer bytes = ByteBuffer.wrap(content);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(temp, file, StandardCopyOption.ATOMIC_MOVE);
      sync(directory);
      if (isNew) {
        sync(directory.resolveSibling("."));
      }
    } catch (IOException e) {
      throw PeapodException.internal("can not write " + file + ": " + e.getMessage(), e);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
