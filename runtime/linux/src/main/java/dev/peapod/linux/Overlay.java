package dev.peapod.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The two ways to a detached overlay mount: `lowerdir+` for each layer (Linux 6.7), or everything
/// in one string by mount(2), which all kernels have.
final class Overlay {
  private static final int CLONE_NEWNS = 0x00020000;
  private static final int CLONE_FS = 0x200;

  /// The longest string that fsconfig(2) takes.
  private static final int MAX_STRING = 255;

  private static final byte[] TYPE = LibC.path("overlay");
  private static final byte[] SOURCE = LibC.path("source");
  private static final byte[] LOWER = LibC.path("lowerdir+");
  private static final byte[] UPPER = LibC.path("upperdir");
  private static final byte[] WORK = LibC.path("workdir");
  private static final byte[] INDEX = LibC.path("index");
  private static final byte[] OFF = LibC.path("off");
  private static final byte[] VOLATILE = LibC.path("volatile");
  private static final byte[] CONTEXT = LibC.path("context");

  /// Any directory does as the place for mounts in a namespace that nobody else sees; this one is
  /// always there and not needed by what is done meanwhile.
  private static final Path PLACE = Path.of("/sys");

  private enum Appending {
    UNKNOWN,
    YES,
    NO
  }

  private static volatile Appending appending = Appending.UNKNOWN;

  private Overlay() {}

  /// @param label what SELinux calls all files of it, `""` for what they are called
  static Fd mount(List<Path> lower, Path upper, Path work, boolean vol, String label) {
    return switch (appending) {
      case YES -> appended(lower, upper, work, vol, label);
      case NO -> classic(lower, upper, work, vol, label);
      case UNKNOWN -> {
        try {
          Fd mount = appended(lower, upper, work, vol, label);
          appending = Appending.YES;
          yield mount;
        } catch (KernelException e) {
          if (e.errno() != Errno.EINVAL) {
            throw e;
          }
          Fd mount = classic(lower, upper, work, vol, label);
          appending = Appending.NO;
          yield mount;
        }
      }
    };
  }

  /// By fsopen(2), a layer an option.
  static Fd appended(List<Path> lower, Path upper, Path work, boolean vol, String label) {
    List<Fd> opened = new ArrayList<>(0);
    long n = MountCalls.fsopen(TYPE, MountCalls.FSOPEN_CLOEXEC);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("fsopen(\"overlay\")", errno);
    }
    try (Fd context = new Fd((int) n)) {
      int fd = context.number();
      set(fd, SOURCE, TYPE);
      for (Path layer : lower) {
        set(fd, LOWER, name(layer, opened));
      }
      set(fd, UPPER, name(upper, opened));
      set(fd, WORK, name(work, opened));
      // A host that defaults to an index would refuse an upper directory mounted a second time.
      set(fd, INDEX, OFF);
      if (vol) {
        config(fd, MountCalls.FSCONFIG_SET_FLAG, VOLATILE, null);
      }
      if (!label.isEmpty()) {
        set(fd, CONTEXT, LibC.path(label));
      }
      config(fd, MountCalls.FSCONFIG_CMD_CREATE, null, null);
      long mount = MountCalls.fsmount(fd, MountCalls.FSMOUNT_CLOEXEC, 0);
      if (mount < 0) {
        throw failed(fd, LibC.errno(), "fsmount(overlay)");
      }
      return new Fd((int) mount);
    } finally {
      opened.forEach(Fd::close);
    }
  }

  private static void set(int context, byte[] key, byte[] value) {
    config(context, MountCalls.FSCONFIG_SET_STRING, key, value);
  }

  private static void config(
      int context, int command, byte @Nullable [] key, byte @Nullable [] value) {
    if (MountCalls.fsconfig(context, command, key, value, 0) < 0) {
      int errno = LibC.errno();
      String option = key == null ? "CMD_CREATE" : text(key);
      String setting = value == null ? "" : "=" + text(value);
      throw failed(context, errno, "fsconfig(overlay, " + option + setting + ")");
    }
  }

  private static String text(byte[] cString) {
    return new String(cString, 0, cString.length - 1, StandardCharsets.UTF_8);
  }

  /// The error, with what the kernel wrote about it into the filesystem's context.
  private static KernelException failed(int context, int errno, String call) {
    byte[] message = new byte[1024];
    StringBuilder words = new StringBuilder();
    for (long n; (n = LibC.read(context, message, message.length)) > 2; ) {
      // "e text\n", w and i for warnings and hints
      String line = new String(message, 2, (int) n - 2, StandardCharsets.UTF_8).strip();
      words.append(" [").append(line).append(']');
    }
    return new KernelException(call + words, errno);
  }

  /// A path as an option's value: itself, or a descriptor's name if it is too long or has
  /// characters that options give a meaning.
  private static byte[] name(Path path, List<Fd> opened) {
    String text = path.toString();
    byte[] bytes = LibC.path(text);
    if (bytes.length <= MAX_STRING + 1
        && text.indexOf(':') < 0
        && text.indexOf(',') < 0
        && text.indexOf('\\') < 0) {
      return bytes;
    }
    return LibC.path(shortName(path, opened));
  }

  private static String shortName(Path path, List<Fd> opened) {
    Fd fd = Fd.open(path.toString(), Open.PATH | Open.DIRECTORY);
    opened.add(fd);
    return "/proc/self/fd/" + fd.number();
  }

  /// By mount(2) over idmapped clones of the lower layers, in a mount namespace of its own as
  /// [#classic(List, Path, Path, boolean, String)]: before Linux 6.15 an overlay's layers have to be
  /// attached somewhere, and an overlay itself can not be idmapped.
  static Fd mapped(
      List<Path> lower, Path upper, Path work, boolean vol, String label, Fd users) {
    return Namespaces.onOwnThread(
        () -> {
          enterPrivateNamespace();
          List<Fd> opened = new ArrayList<>();
          try {
            String options = writable(upper, work, vol, label, opened);
            return Mounts.openTree(merged(lower, Optional.of(users), options), false);
          } finally {
            opened.forEach(Fd::close);
          }
        });
  }

  /// What is at `path` in the layers put together, as a detached mount that nobody can write to.
  static Fd view(List<Path> lower, String path, Optional<Fd> users) {
    return Namespaces.onOwnThread(
        () -> {
          enterPrivateNamespace();
          // An overlay without an upper directory takes two lower ones.
          Path merged = merged(lower, users, ":" + PLACE.resolve("empty"));
          try (Directory root = Directory.open(merged);
              Fd found = root.open(path.isEmpty() ? "." : path, Open.PATH)) {
            return Mounts.openTree(found);
          }
        });
  }

  /// Mounts an overlay, over idmapped clones of the layers if there are `users`, and answers where.
  ///
  /// @param more what follows the layers in the options
  private static Path merged(List<Path> lower, Optional<Fd> users, String more) {
    List<Fd> layers = new ArrayList<>();
    try {
      for (Path layer : lower) {
        layers.add(Mounts.openTree(layer, false));
      }
      mount("tmpfs", PLACE, "size=1m,nr_inodes=1k,mode=755");
      mkdir(PLACE.resolve("empty"));
      StringBuilder options = new StringBuilder("lowerdir=");
      for (int i = 0; i < layers.size(); i++) {
        Fd layer = layers.get(i);
        users.ifPresent(u -> Mounts.mapOwners(layer, u));
        Path place = PLACE.resolve(Integer.toString(i));
        mkdir(place);
        Mounts.attach(layer, place);
        options.append(i == 0 ? "" : ":").append(place);
      }
      Path merged = PLACE.resolve("merged");
      mkdir(merged);
      mount("overlay", merged, options + more);
      return merged;
    } finally {
      layers.forEach(Fd::close);
    }
  }

  /// The options of the writable layer.
  private static String writable(
      Path upper, Path work, boolean vol, String label, List<Fd> opened) {
    return ",upperdir="
        + shortName(upper, opened)
        + ",workdir="
        + shortName(work, opened)
        + ",index=off"
        + (vol ? ",volatile" : "")
        // Levels may have commas.
        + (label.isEmpty() ? "" : ",context=\"" + label + "\"");
  }

  private static void mkdir(Path path) {
    LibC.check(FileCalls.mkdirat(LibC.AT_FDCWD, LibC.path(path.toString()), 0755), "mkdir");
  }

  private static void mount(String type, Path place, String options) {
    byte[] name = LibC.path(type);
    byte[] target = LibC.path(place.toString());
    if (MountCalls.mount(name, target, name, 0, LibC.path(options)) < 0) {
      int errno = LibC.errno();
      throw new KernelException("mount(" + type + ", \"" + options + "\")", errno);
    }
  }

  private static void enterPrivateNamespace() {
    LibC.check(ProcessCalls.unshare(CLONE_FS | CLONE_NEWNS), "unshare(CLONE_NEWNS)");
    Mounts.makePrivate(Path.of("/"), true);
  }

  /// By mount(2), in a mount namespace of its own that lives only until the mount is copied out of
  /// it: nothing shows in this process's namespace and a crash leaves nothing. The options may be
  /// no longer than a page, so all directories go by short names, enough for some 200 layers.
  static Fd classic(List<Path> lower, Path upper, Path work, boolean vol, String label) {
    return Namespaces.onOwnThread(
        () -> {
          enterPrivateNamespace();
          List<Fd> opened = new ArrayList<>();
          try {
            StringBuilder options = new StringBuilder("lowerdir=");
            for (int i = 0; i < lower.size(); i++) {
              options.append(i == 0 ? "" : ":").append(shortName(lower.get(i), opened));
            }
            options.append(writable(upper, work, vol, label, opened));
            byte[] data = LibC.path(options.toString());
            // Any directory does as the place; this one is always there.
            byte[] place = LibC.path("/proc");
            if (MountCalls.mount(TYPE, place, TYPE, 0, data) < 0) {
              int errno = LibC.errno();
              throw new KernelException(
                  "mount(overlay, " + lower.size() + " layers, \"" + upper + "\")", errno);
            }
          } finally {
            opened.forEach(Fd::close);
          }
          return Mounts.openTree(Path.of("/proc"), false);
        });
  }
}
