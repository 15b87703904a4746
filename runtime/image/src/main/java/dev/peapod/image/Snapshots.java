package dev.peapod.image;

import dev.peapod.error.PeapodException;
import dev.peapod.image.store.Disk;
import dev.peapod.image.store.IoErrors;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Mounts;
import dev.peapod.linux.Trees;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The containers' writable layers, under `<root>/containers`.
///
/// Below an image's own layers lies one with empty files and directories where every container has something mounted,
/// `<root>/mount-points`. Without it each start would make them in the writable layer, which is a good part of its time.
///
/// Volatile: nothing is synced, and after a reboot nothing of it is read. Thread-safe for different
/// containers.
public final class Snapshots {
  /// Who the owners of an image's files are on the host.
  ///
  /// @param users a user namespace
  /// @param uid what its user 0 is on the host, as the kernel's unsigned number
  /// @param gid the same of group 0
  public record Owners(Fd users, int uid, int gid) {}

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private static final List<String> DIRECTORIES = List.of("dev", "etc", "proc", "sys");
  private static final List<String> FILES =
      List.of("etc/hostname", "etc/hosts", "etc/resolv.conf");

  private final Path directory;
  private final Path mountPoints;

  private Snapshots(Path directory, Path mountPoints) {
    this.directory = directory;
    this.mountPoints = mountPoints;
  }

  /// Opens the directory, making it if need be.
  ///
  /// @throws PeapodException INTERNAL, RESOURCE_EXHAUSTED
  public static Snapshots open(Path root) {
    Path directory = root.resolve("containers");
    Path mountPoints = root.resolve("mount-points");
    try {
      Files.createDirectories(directory, PRIVATE);
      make(mountPoints);
      for (String name : DIRECTORIES) {
        make(mountPoints.resolve(name));
        Files.setAttribute(mountPoints.resolve(name), "unix:mode", 0755);
      }
      for (String name : FILES) {
        Path file = mountPoints.resolve(name);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
          Files.createFile(file);
        }
        Files.setAttribute(file, "unix:mode", 0644);
      }
    } catch (IOException e) {
      throw IoErrors.of(directory + " can not be made", e);
    }
    return new Snapshots(directory, mountPoints);
  }

  /// Makes `<root>/containers/<id>/{upper,work}`; the upper's owner and mode are those of the
  /// image's root directory. An existing one is kept as it is.
  ///
  /// @throws PeapodException INTERNAL, RESOURCE_EXHAUSTED
  public Snapshot prepare(String containerId, Image image) {
    Path own = own(containerId);
    Snapshot snapshot =
        new Snapshot(containerId, image.layers(), own.resolve("upper"), own.resolve("work"));
    try {
      if (make(own)) {
        make(snapshot.work());
        make(snapshot.upper());
        like(image.layers().getLast(), snapshot.upper(), 0, 0);
      }
    } catch (IOException e) {
      Disk.discard(own);
      throw IoErrors.of("the writable layer " + own + " can not be made", e);
    }
    return snapshot;
  }

  /// A detached overlay mount of the snapshot, which nobody else may have mounted at the time.
  ///
  /// @throws PeapodException INTERNAL if the kernel refuses, RESOURCE_EXHAUSTED
  public Fd mount(Snapshot snapshot) {
    return mount(snapshot, Optional.empty(), "");
  }

  /// As [#mount(Snapshot)].
  ///
  /// @param owners who the owners of the image's files are on the host
  /// @param label what SELinux calls all its files, `""` for what they are called on the host
  public Fd mount(Snapshot snapshot, Optional<Owners> owners, String label) {
    List<Path> topmostFirst = new ArrayList<>(snapshot.layers().reversed());
    topmostFirst.addLast(mountPoints);
    try {
      Path mark = snapshot.work().resolve("work/incompat/volatile");
      if (Files.exists(mark, LinkOption.NOFOLLOW_LINKS)) {
        // Mounted before since this boot: what was written is still in memory or on disk.
        Disk.discard(mark);
      }
      Path upper = snapshot.upper();
      Path work = snapshot.work();
      if (owners.isEmpty()) {
        return Mounts.overlay(topmostFirst, upper, work, true, label);
      }
      Owners mapped = owners.get();
      like(topmostFirst.getFirst(), upper, mapped.uid, mapped.gid);
      return Mounts.mappedOverlay(topmostFirst, upper, work, true, label, mapped.users);
    } catch (IOException e) {
      throw IoErrors.of("the writable layer " + snapshot.upper() + " can not be prepared", e);
    } catch (KernelException e) {
      boolean full = e.errno() == Errno.ENOSPC || e.errno() == Errno.EDQUOT;
      throw new PeapodException(
          full ? PeapodException.Kind.RESOURCE_EXHAUSTED : PeapodException.Kind.INTERNAL,
          "the root filesystem of container "
              + snapshot.containerId()
              + " can not be mounted: "
              + e.getMessage(),
          e);
    }
  }

  /// A detached mount of an image, or of a file or directory in it, that nobody can write to.
  ///
  /// @param layers of the image, lowest first
  /// @param path in the image; `""` for all of it
  /// @throws PeapodException INVALID if the image has no such path, INTERNAL if the kernel refuses
  public Fd view(List<Path> layers, String path, Optional<Owners> owners) {
    try {
      return Mounts.overlayView(layers.reversed(), path, owners.map(Owners::users));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR || e.errno() == Errno.ELOOP) {
        throw new PeapodException(
            PeapodException.Kind.INVALID, "the image has nothing at \"" + path + "\"", e);
      }
      throw PeapodException.internal("the image can not be mounted: " + e.getMessage(), e);
    }
  }

  /// Removes a container's directories; does nothing if there are none. It must not be mounted.
  public void remove(String containerId) {
    Disk.discard(own(containerId));
  }

  /// Removes the directories of all but these containers; for start-up.
  public void retain(Collection<String> liveContainerIds) {
    Set<String> live = Set.copyOf(liveContainerIds);
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path found : stream) {
        if (!live.contains(found.getFileName().toString())) {
          Disk.discard(found);
        }
      }
    } catch (IOException e) {
      throw IoErrors.of(directory + " can not be read", e);
    }
  }

  /// What a container has written; 0 if it has no snapshot.
  public FsUsage usage(String containerId) {
    return usage(own(containerId).resolve("upper"));
  }

  /// What all containers have written.
  public FsUsage usage() {
    return usage(directory);
  }

  /// Where all the snapshots are.
  public Path directory() {
    return directory;
  }

  private static FsUsage usage(Path path) {
    try {
      Trees.Usage usage = Trees.usage(path);
      return new FsUsage(path, usage.bytes(), usage.inodes());
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return new FsUsage(path, 0, 0);
      }
      throw PeapodException.internal(path + " can not be measured: " + e.getMessage(), e);
    }
  }

  private static boolean make(Path path) throws IOException {
    try {
      Files.createDirectory(path, PRIVATE);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  /// In an overlay the uppermost root directory's owner and mode count.
  ///
  /// @param uid what the layer's user 0 is on the host
  private static void like(Path layer, Path upper, int uid, int gid) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(layer, "unix:uid,gid,mode");
    own(upper, "unix:uid", attributes.get("uid"), uid);
    own(upper, "unix:gid", attributes.get("gid"), gid);
    if (attributes.get("mode") instanceof Integer mode) {
      Files.setAttribute(upper, "unix:mode", mode & 07777);
    }
  }

  private static void own(Path upper, String name, @Nullable Object id, int first)
      throws IOException {
    if (id instanceof Integer number && number + first != 0) {
      Files.setAttribute(upper, name, number + first);
    }
  }

  private Path own(String containerId) {
    if (!ID.matcher(containerId).matches()) {
      throw PeapodException.invalid("\"" + containerId + "\" can not be a container's id");
    }
    return directory.resolve(containerId);
  }
}
