package dev.peapod.engine;

import dev.peapod.cni.Network;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerService;
import dev.peapod.engine.container.Containers;
import dev.peapod.engine.port.Holders;
import dev.peapod.engine.sandbox.Member;
import dev.peapod.engine.sandbox.NetworkPool;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.sandbox.SandboxService;
import dev.peapod.engine.sandbox.Sandboxes;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.engine.state.StoredSandbox;
import dev.peapod.error.PeapodException;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Lease;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.BootId;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.ProcessIdentity;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the engine does at its start with what is written down.
record Adoption(
    SandboxService sandboxService,
    ContainerService containerService,
    Sandboxes sandboxes,
    Containers containers,
    Holders holders,
    Network network,
    NetworkPool networks,
    ImageStore images,
    Snapshots snapshots,
    Path exits) {
  private static final Logger LOG = System.getLogger(Adoption.class.getName());

  void run(List<StoredSandbox> storedSandboxes, List<StoredContainer> storedContainers) {
    for (StoredSandbox stored : storedSandboxes) {
      if (usable(stored)) {
        attempt("sandbox " + stored.id(), () -> adopt(stored));
      }
    }
    for (StoredContainer stored : storedContainers) {
      Optional<Sandbox> sandbox = sandboxes.byId(stored.sandboxId());
      if (sandbox.isPresent() && usable(stored)) {
        attempt("container " + stored.id(), () -> containerService.adopt(sandbox.get(), stored));
      } else {
        LOG.log(Level.INFO, "container {0} was not finished; removing it", stored.id());
        attempt("container " + stored.id(), () -> containerService.discard(stored));
      }
    }
    for (StoredSandbox stored : storedSandboxes) {
      if (sandboxes.byId(stored.id()).isEmpty()) {
        LOG.log(
            Level.INFO,
            "sandbox {0} was not finished or is of another boot; removing it",
            stored.id());
        sandboxService.discard(stored);
      }
    }
    sandboxService.discardStrays();
    reconcile(storedContainers);
    for (Sandbox sandbox : sandboxes.all()) {
      sandboxService.watchAdopted(sandbox);
      if (!sandbox.isReady()) {
        sandbox.members().forEach(Member::kill);
      }
    }
    if (!sandboxes.all().isEmpty()) {
      LOG.log(
          Level.INFO,
          "took over {0} sandboxes with {1} containers",
          sandboxes.all().size(),
          containers.all().size());
    }
  }

  private static boolean usable(StoredSandbox stored) {
    return stored.bootId().equals(BootId.current())
        && stored.phase() != StoredSandbox.Phase.CREATING;
  }

  private static boolean usable(StoredContainer stored) {
    return stored.bootId().equals(BootId.current()) && stored.process() != null;
  }

  private void adopt(StoredSandbox stored) {
    StoredProcess process = stored.pause();
    Optional<Pidfd> pause =
        process == null
            ? Optional.empty()
            : new ProcessIdentity(process.pid(), process.startTime(), stored.bootId()).open();
    sandboxService.adopt(stored, pause);
  }

  /// Has every other keeper of things drop what belongs to nobody any more.
  private void reconcile(List<StoredContainer> storedContainers) {
    Set<String> liveSandboxes =
        sandboxes.all().stream().map(Sandbox::id).collect(Collectors.toSet());
    Set<String> liveContainers =
        containers.all().stream().map(Container::id).collect(Collectors.toSet());
    attempt("port holders", () -> holders.retain(liveSandboxes));
    attempt("networks made ahead", () -> networks.discardOld(liveSandboxes::contains));
    attempt("the network", () -> network.reconcile(liveSandboxes));
    attempt(
        "the images",
        () ->
            images.adopt(
                storedContainers.stream()
                    .filter(stored -> liveContainers.contains(stored.id()))
                    .flatMap(Adoption::held)
                    .toList()));
    attempt("snapshots", () -> snapshots.retain(liveContainers));
    attempt("exit records", () -> retainExits(liveContainers));
  }

  /// The images that a container needs as long as it is there.
  private static Stream<Lease> held(StoredContainer stored) {
    return Stream.concat(
        Stream.of(new Lease(stored.imageId(), stored.id(), paths(stored.layers()))),
        stored.spec().mounts().stream()
            .flatMap(mount -> Stream.ofNullable(mount.image()))
            .map(image -> new Lease(image.id(), stored.id(), paths(image.layers()))));
  }

  private static List<Path> paths(List<String> names) {
    return names.stream().map(Path::of).toList();
  }

  private void retainExits(Set<String> ids) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(exits)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        String id = name.startsWith(".") ? name.substring(1) : name;
        if (!ids.contains(id)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw PeapodException.internal("looking through " + exits + " failed: " + e, e);
    }
  }

  /// One that fails is no reason not to start.
  private static void attempt(String what, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "taking over or cleaning up " + what + " failed", e);
    }
  }
}
