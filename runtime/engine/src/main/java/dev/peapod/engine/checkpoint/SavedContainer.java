package dev.peapod.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerTools;
import dev.peapod.engine.container.Restoration;
import dev.peapod.engine.container.Restoration.Mounted;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.layer.LayerUnpacker;
import dev.peapod.image.store.IoErrors;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.Pidfd;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A container's part of a checkpoint, unpacked: criu's images and the container's files. Nothing else of it is used, and
/// what processes may is taken from the request.
final class SavedContainer implements Restoration.Checkpoint {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int SIGCONT = 18;
  private static final int MAX_DESCRIPTORS = 4096;
  private static final String PIPE = "pipe:\\[[0-9]{1,20}\\]";

  private final ContainerTools tools;
  private final ContainerSpec spec;
  private final Path directory;

  SavedContainer(ContainerTools tools, ContainerSpec spec, Path directory) {
    this.tools = tools;
    this.spec = spec;
    this.directory = directory;
  }

  @Override
  public Path directory() {
    return directory;
  }

  private Path images() {
    return directory.resolve(Layout.IMAGES);
  }

  private String title() {
    return "container \"" + spec.name() + "\" can not be restored: ";
  }

  @Override
  public void fill(Path upper) {
    try (InputStream in =
        new BufferedInputStream(Files.newInputStream(directory.resolve(Layout.ROOTFS)))) {
      LayerUnpacker.unpackFiles(in, title() + "its files", upper);
    } catch (IOException e) {
      throw IoErrors.of(title() + "its files", e);
    }
  }

  @Override
  public Operation.Restore command(
      Path root, Map<String, Mounted> mounts, List<String> readonly, boolean readonlyRoot) {
    try {
      MountImages.check(images(), mounts, readonly, readonlyRoot);
      Map<String, String> sources = new LinkedHashMap<>();
      mounts.forEach((path, mounted) -> sources.put(path, mounted.source()));
      return new Operation.Restore(
          Criu.restore(directory, root, sources, pipes(), limits().apparmor()),
          Criu.ENVIRONMENT,
          directory.resolve(Criu.PID).toString());
    } catch (IOException e) {
      throw IoErrors.of(title() + "its checkpoint", e);
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), title() + e.getMessage(), e);
    }
  }

  /// What it was that 0, 1 and 2 led to.
  private List<String> pipes() throws IOException {
    Path file = images().resolve(Layout.DESCRIPTORS);
    if (!Files.exists(file) || Files.size(file) > MAX_DESCRIPTORS) {
      throw PeapodException.invalid(Layout.DESCRIPTORS + " is missing or too long");
    }
    List<String> all = new ArrayList<>();
    try {
      JSON.readTree(Files.readAllBytes(file)).forEach(stream -> all.add(stream.asText("")));
    } catch (JsonProcessingException e) {
      throw PeapodException.invalid(Layout.DESCRIPTORS + " is damaged: " + e.getOriginalMessage());
    }
    List<String> pipes = new ArrayList<>();
    for (int fd = 0; fd <= 2; fd++) {
      boolean pipe = fd < all.size() && all.get(fd).matches(PIPE);
      if (fd == 0 && pipe != spec.stdin()) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION, "only one of checkpoint and request has an input");
      }
      pipes.add(pipe ? all.get(fd) : "");
    }
    return pipes;
  }

  private ContainerSecurity.Limits limits() {
    ResolvedSecurity resolved = tools.security().resolve(spec);
    try (ContainerSecurity.Grant grant = tools.security().grant(spec, resolved)) {
      return grant.limits();
    }
  }

  @Override
  public void accept(Container container, int main, List<Integer> processes) {
    ContainerSecurity.Limits limits = limits();
    try {
      for (int pid : processes) {
        try (DirectoryStream<Path> threads =
            Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
          for (Path thread : threads) {
            check(limits, thread);
          }
        }
        for (String namespace : List.of("net", "ipc", "uts", "user", "cgroup")) {
          int like = namespace.equals("cgroup") ? main : container.sandbox().pause().pid();
          require(same(pid, like, namespace), "a namespace (" + namespace + ")");
        }
      }
    } catch (IOException e) {
      throw PeapodException.internal(title() + "a process of it has gone: " + e, e);
    }
    for (int pid : processes) {
      Pidfd.open(pid)
          .ifPresent(
              process -> {
                try (process) {
                  process.signal(SIGCONT);
                }
              });
    }
  }

  private static boolean same(int one, int other, String namespace) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + one + "/ns/" + namespace))
        .equals(Files.readSymbolicLink(Path.of("/proc/" + other + "/ns/" + namespace)));
  }

  private void check(ContainerSecurity.Limits limits, Path thread) {
    Map<String, String> status = new LinkedHashMap<>();
    KernelFiles.read(thread + "/status")
        .lines()
        .forEach(
            line -> {
              String[] field = line.split(":\\s*", 2);
              if (field.length == 2) {
                status.put(field[0], field[1]);
              }
            });
    for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
      long has = Long.parseUnsignedLong(status.getOrDefault(set, "-"), 16);
      require((has & ~limits.capabilities()) == 0, "capabilities");
    }
    require(
        !limits.noNewPrivileges() || "1".equals(status.get("NoNewPrivs")),
        "ways to gain privileges");
    require(
        !limits.filtered() || "2".equals(status.get("Seccomp")), "system calls without a filter");
    Optional<String> profile = limits.apparmor();
    if (profile.isPresent()) {
      String label = KernelFiles.read(thread + "/attr/current").strip();
      require(label.startsWith(profile.get() + " ("), "another AppArmor profile");
    }
  }

  private void require(boolean fits, String what) {
    if (!fits) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          title() + "its checkpoint has a process with " + what + " that the request does not give");
    }
  }
}
