package dev.peapod.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// SELinux, as far as it labels what containers run and use. Thread-safe.
public final class Selinux {
  private static final Path KERNEL = Path.of("/sys/fs/selinux");
  private static final Path CONFIGURATION = Path.of("/etc/selinux");
  private static final String ATTRIBUTE = "security.selinux";

  /// What belongs to the whole machine: with a container's label on it, others could not go on.
  private static final Set<Path> SHARED =
      Set.of(
          Path.of("/"),
          Path.of("/bin"),
          Path.of("/boot"),
          Path.of("/dev"),
          Path.of("/etc"),
          Path.of("/etc/passwd"),
          Path.of("/etc/pki"),
          Path.of("/etc/shadow"),
          Path.of("/home"),
          Path.of("/lib"),
          Path.of("/lib64"),
          Path.of("/media"),
          Path.of("/opt"),
          Path.of("/proc"),
          Path.of("/root"),
          Path.of("/run"),
          Path.of("/sbin"),
          Path.of("/srv"),
          Path.of("/sys"),
          Path.of("/tmp"),
          Path.of("/usr"),
          Path.of("/var"),
          Path.of("/var/lib"),
          Path.of("/var/log"));

  private Selinux() {}

  /// Whether the kernel has it and a policy for it.
  public static boolean isOn() {
    return Files.exists(KERNEL.resolve("enforce"));
  }

  /// Whether the kernel's policy has such a label.
  public static boolean knows(String label) {
    try {
      KernelFiles.write(KERNEL.resolve("context").toString(), label);
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.EINVAL) {
        return false;
      }
      throw e;
    }
  }

  /// The label that the machine's policy has for containers (`lxc_contexts`), if it says one.
  ///
  /// @param what `process` or `file`
  public static Optional<String> ofContainers(String what) {
    return value(CONFIGURATION.resolve("config"), "SELINUXTYPE")
        .flatMap(
            policy ->
                value(CONFIGURATION.resolve(policy).resolve("contexts/lxc_contexts"), what));
  }

  /// The value of a line `key = value`, whose value may be in quotes.
  static Optional<String> value(Path file, String key) {
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.split("=", 2))
          .filter(line -> line.length == 2 && line[0].strip().equals(key))
          .map(line -> line[1].strip().replaceAll("^\"|\"$", ""))
          .filter(value -> !value.isEmpty())
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /// Labels a file, or a directory with all that is in it; what has the label already is not touched. No link is followed
  /// but in `path` itself, and no other mount is entered. A filesystem that has no labels is left as it is.
  ///
  /// @return false, and nothing is done, if `path` belongs to the whole machine, such as `/usr`
  /// @throws KernelException EROFS, EINVAL if the policy has no such label
  public static boolean relabel(Path path, String label) {
    try (Fd top = Fd.open(path.toString(), Open.PATH)) {
      Path real = Path.of(KernelFiles.link("/proc/self/fd/" + top.number()));
      if (SHARED.contains(real)) {
        return false;
      }
      Trees.mark(top, ATTRIBUTE, label);
      return true;
    }
  }
}
