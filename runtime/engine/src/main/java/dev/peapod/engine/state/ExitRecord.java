package dev.peapod.engine.state;

import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/// What a monitor writes when its container's main process has ended (`docs/launch-plan.md`).
///
/// @param exitCode the exit status, or 128 + signal
/// @param signal the signal that ended it, or 0
/// @param oomKills how many processes of the container the kernel killed for lack of memory
/// @param limitHits how often the container's own memory limit was hit
/// @param podLimitHits how often its pod's was
/// @param startedAt nanoseconds since 1970
/// @param finishedAt nanoseconds since 1970
public record ExitRecord(
    int version,
    String id,
    int pid,
    int exitCode,
    int signal,
    long oomKills,
    long limitHits,
    long podLimitHits,
    long startedAt,
    long finishedAt) {
  private static final ObjectReader READER = Json.MAPPER.readerFor(ExitRecord.class);

  /// Reads the record of a container, if there is one.
  ///
  /// @throws IOException if it can not be read or is not whole
  public static Optional<ExitRecord> read(Path directory, String id) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(directory.resolve(id));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    return Optional.of(READER.readValue(bytes));
  }
}
