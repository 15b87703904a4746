package dev.peapod.engine.container;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.security.Devices;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Open;
import dev.peapod.linux.cgroup.Cgroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The launch plans of containers' main processes: to start them, and to look at. Thread-safe.
final class ContainerPlans {
  /// The descriptors that a plan is given; see [ContainerPlan.Input].
  record Given(Fd rootfs, Fd pause, Optional<Fd> target, Optional<Fd> users, List<Fd> images) {}

  private final ContainerTools tools;

  ContainerPlans(ContainerTools tools) {
    this.tools = tools;
  }

  /// @param restored if its processes come from a checkpoint
  LaunchPlan of(
      Container container,
      ContainerSecurity.Grant security,
      Given given,
      Optional<Restoration> restored) {
    StoredContainer stored = container.stored();
    Cgroup cgroup = tools.cgroups().open(stored.cgroup());
    return ContainerPlan.of(
        new ContainerPlan.Input(
            container.id(),
            stored.spec(),
            container.sandbox().spec(),
            container.process(),
            security,
            Devices.nodes(stored.spec(), container.security()),
            CgroupEntries.of(cgroup),
            CgroupEntries.counters(cgroup, tools.cgroups().open(container.sandbox().cgroup())),
            cgroup.view(),
            given.rootfs,
            given.pause,
            given.target,
            container.sandbox().files(),
            tools.exits(),
            tools.control().resolve(stored.id()),
            container.logPath(),
            given.users,
            given.images,
            restored));
  }

  /// The operations of a plan that nobody executes: of the descriptors it is given, only what images have
  /// at their paths shows in it.
  List<Operation> described(Container container) {
    StoredContainer stored = container.stored();
    SandboxSpec pod = container.sandbox().spec();
    List<Fd> images = new ArrayList<>();
    try (Fd stand = Fd.open("/", Open.PATH);
        ContainerSecurity.Grant security =
            tools.security().grant(stored.spec(), container.security())) {
      for (MountSpec mount : stored.spec().mounts()) {
        MountSpec.ImageVolume image = mount.image();
        if (image != null) {
          List<Path> layers = image.layers().stream().map(Path::of).toList();
          images.add(tools.snapshots().view(layers, image.subPath(), Optional.empty()));
        }
      }
      boolean joinsOther = stored.spec().security().pid() == NamespaceMode.TARGET;
      return of(
              container,
              security,
              new Given(
                  stand,
                  stand,
                  joinsOther ? Optional.of(stand) : Optional.empty(),
                  pod.userNamespace() == null ? Optional.empty() : Optional.of(stand),
                  images),
              Optional.empty())
          .operations();
    } finally {
      images.forEach(Fd::close);
    }
  }
}
