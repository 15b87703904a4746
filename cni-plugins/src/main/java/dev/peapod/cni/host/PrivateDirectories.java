package dev.peapod.cni.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/// Directories of notes, readable for the daemon alone.
public final class PrivateDirectories {
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private PrivateDirectories() {}

  /// Makes a directory and those above it that are missing; one that is there stays as it is.
  public static void make(Path directory) throws IOException {
    Files.createDirectories(directory, OWNER_ONLY);
  }
}
