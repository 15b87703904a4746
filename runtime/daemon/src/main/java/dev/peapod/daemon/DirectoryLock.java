package dev.peapod.daemon;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/// Keeps a directory for one daemon: two would undo each other's work. The kernel drops the lock with the process.
///
/// The lock is fcntl(2)'s, which children do not inherit: what outlives a daemon does not keep its successor out.
final class DirectoryLock implements AutoCloseable {
  private final FileChannel file;

  private DirectoryLock(FileChannel file) {
    this.file = file;
  }

  /// Makes the directory (0700) if it is not there, and locks it.
  ///
  /// @param meaning what the directory is, for the error: `state`
  /// @throws PeapodException FAILED_PRECONDITION if another daemon has it, INVALID if it can not be made
  static DirectoryLock take(Path directory, String meaning) {
    try {
      Files.createDirectories(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
      FileChannel file =
          FileChannel.open(
              directory.resolve("lock"),
              java.util.Set.of(
                  StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try {
        if (file.tryLock() == null) {
          throw taken(directory, meaning, owner(file));
        }
        file.truncate(0);
        Path pid = Files.readSymbolicLink(Path.of("/proc/self"));
        file.write(ByteBuffer.wrap((pid + "\n").getBytes(StandardCharsets.US_ASCII)));
        return new DirectoryLock(file);
      } catch (OverlappingFileLockException e) {
        throw taken(directory, meaning, "this process");
      } catch (IOException | RuntimeException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          "can not use %s as the %s directory: %s".formatted(directory, meaning, e),
          e);
    }
  }

  private static PeapodException taken(Path directory, String meaning, String owner) {
    return new PeapodException(
        PeapodException.Kind.FAILED_PRECONDITION,
        "another peapodd (%s) uses the %s directory %s; give this one its own with --%s"
            .formatted(owner, meaning, directory, meaning));
  }

  private static String owner(FileChannel file) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(32);
    file.read(pid, 0);
    String text = new String(pid.array(), 0, pid.position(), StandardCharsets.US_ASCII).strip();
    return text.isEmpty() ? "just starting" : "pid " + text;
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw PeapodException.internal("can not give up a directory lock", e);
    }
  }
}
