package dev.peapod.engine.sandbox;

import dev.peapod.engine.model.DnsSpec;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The files that all containers of a pod see: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.
///
/// The directory is the daemon's alone; the files in it are readable for all, as containers need
/// them.
final class SandboxFiles {
  private static final FileAttribute<?> PRIVATE_DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final Path HOST_RESOLV_CONF = Path.of("/etc/resolv.conf");

  /// What systemd-resolved writes for those that can not reach its stub on 127.0.0.53.
  private static final Path RESOLVED_UPSTREAM = Path.of("/run/systemd/resolve/resolv.conf");

  private SandboxFiles() {}

  /// Makes the directory with `hostname` and `resolv.conf`.
  static void prepare(Path directory, String hostname, DnsSpec dns, boolean ownNetwork) {
    try {
      try {
        Files.createDirectory(directory, PRIVATE_DIRECTORY);
      } catch (FileAlreadyExistsException e) {
        // Made by an attempt before.
      }
      write(directory.resolve("hostname"), hostname + "\n");
      write(directory.resolve("resolv.conf"), resolvConf(dns, ownNetwork));
    } catch (IOException e) {
      throw PeapodException.internal(
          "writing the pod's files in " + directory + " failed: " + e, e);
    }
  }

  /// Writes `hosts`.
  ///
  /// @param ips the pod's addresses; none on the host's network, where the host's own file counts
  static void writeHosts(Path directory, String hostname, List<String> ips, boolean ownNetwork) {
    try {
      write(directory.resolve("hosts"), ownNetwork ? hosts(hostname, ips) : hostFile("/etc/hosts"));
    } catch (IOException e) {
      throw PeapodException.internal(
          "writing the pod's files in " + directory + " failed: " + e, e);
    }
  }

  /// Makes the files a user's and a group's of the host: the root of a pod's user namespace.
  static void give(Path directory, long uid, long gid) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.setAttribute(file, "unix:uid", (int) uid);
        Files.setAttribute(file, "unix:gid", (int) gid);
      }
    } catch (IOException e) {
      throw PeapodException.internal(
          "changing the owner of the pod's files in " + directory + " failed: " + e, e);
    }
  }

  /// Removes the directory; does nothing if there is none.
  static void remove(Path directory) {
    try {
      if (Files.isDirectory(directory)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
          for (Path file : files) {
            Files.deleteIfExists(file);
          }
        }
        Files.deleteIfExists(directory);
      }
    } catch (IOException e) {
      throw PeapodException.internal("removing " + directory + " failed: " + e, e);
    }
  }

  private static void write(Path file, String content) throws IOException {
    Files.writeString(
        file,
        content,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
  }

  private static String resolvConf(DnsSpec dns, boolean ownNetwork) throws IOException {
    if (dns.isEmpty()) {
      String host = hostFile(HOST_RESOLV_CONF.toString());
      boolean stub = host.contains("nameserver 127.0.0.53");
      return ownNetwork && stub && Files.exists(RESOLVED_UPSTREAM)
          ? hostFile(RESOLVED_UPSTREAM.toString())
          : host;
    }
    StringBuilder text = new StringBuilder();
    if (!dns.searches().isEmpty()) {
      text.append("search ").append(String.join(" ", dns.searches())).append('\n');
    }
    for (String server : dns.servers()) {
      text.append("nameserver ").append(server).append('\n');
    }
    if (!dns.options().isEmpty()) {
      text.append("options ").append(String.join(" ", dns.options())).append('\n');
    }
    return text.toString();
  }

  private static String hosts(String hostname, List<String> ips) {
    StringBuilder text =
        new StringBuilder(
            """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            ff00::0\tip6-mcastprefix
            ff02::1\tip6-allnodes
            ff02::2\tip6-allrouters
            """);
    for (String ip : ips) {
      text.append(ip).append('\t').append(hostname).append('\n');
    }
    return text.toString();
  }

  private static String hostFile(String path) throws IOException {
    Path file = Path.of(path);
    return Files.exists(file) ? Files.readString(file) : "";
  }
}
