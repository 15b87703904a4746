package dev.peapod.linux;

import dev.peapod.error.PeapodException;

/// Kernel parameters (sysctl(8)), by name: `net.ipv4.ip_forward`, or with slashes where a part
/// itself has a dot, `net/ipv4/conf/eth0.5/forwarding`.
///
/// What is below `net` belongs to the calling thread's network namespace: in another one, open it by
/// [#open(String)] inside [Namespaces#within(Fd, java.util.concurrent.Callable)] and write with
/// [#set(Fd, String)] from anywhere.
public final class Sysctl {
  private Sysctl() {}

  /// The value.
  ///
  /// @throws KernelException ENOENT if there is no such parameter
  public static String get(String name) {
    return KernelFiles.read(path(name));
  }

  /// Sets the value.
  ///
  /// @throws PeapodException INVALID if name or value can not be one
  /// @throws KernelException ENOENT if there is no such parameter, EINVAL if the kernel refuses
  public static void set(String name, String value) {
    KernelFiles.write(path(name), checked(value));
  }

  /// Opens a parameter for reading and writing.
  public static Fd open(String name) {
    return Fd.open(path(name), Open.RDWR);
  }

  /// Sets the value of an opened parameter, once.
  public static void set(Fd parameter, String value) {
    byte[] bytes = LibC.path(checked(value));
    if (LibC.write(parameter.number(), bytes, bytes.length - 1) < 0) {
      int errno = LibC.errno();
      throw new KernelException("write(sysctl " + parameter + ", \"" + value + "\")", errno);
    }
  }

  static String path(String name) {
    String relative = name.indexOf('/') < 0 ? name.replace('.', '/') : name;
    for (String part : relative.split("/", -1)) {
      boolean valid =
          !part.isEmpty()
              && !part.equals(".")
              && !part.equals("..")
              && part.chars().allMatch(c -> c > ' ' && c != 0x7f);
      if (!valid) {
        throw PeapodException.invalid("\"" + name + "\" is not the name of a kernel parameter");
      }
    }
    return "/proc/sys/" + relative;
  }

  private static String checked(String value) {
    if (value.chars().anyMatch(c -> c < ' ' && c != '\t')) {
      throw PeapodException.invalid(
          "the value of a kernel parameter must be one line without control characters");
    }
    return value;
  }
}
