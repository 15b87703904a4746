package dev.peapod.system;

import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerMetadata;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.LinuxContainerConfig;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxConfig;
import dev.peapod.proto.runtime.v1.LinuxSandboxSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxMetadata;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/// What a kubelet sends, shortened.
final class CriPods {
  private static final NamespaceOption NAMESPACES =
      NamespaceOption.newBuilder()
          .setNetwork(NamespaceMode.POD)
          .setPid(NamespaceMode.POD)
          .setIpc(NamespaceMode.POD)
          .build();

  private final Supplier<RuntimeServiceBlockingStub> cri;
  private final Path logs;
  private final String image;

  /// @param cri makes a stub for each call, since a stub's deadline is of one call
  /// @param logs where the pods' log directories are made
  CriPods(Supplier<RuntimeServiceBlockingStub> cri, Path logs, String image) {
    this.cri = cri;
    this.logs = logs;
    this.image = image;
  }

  PodSandboxConfig.Builder sandbox(String name) {
    Path directory = logs.resolve("cri_" + name);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return PodSandboxConfig.newBuilder()
        .setMetadata(
            PodSandboxMetadata.newBuilder().setName(name).setNamespace("cri").setUid("uid-" + name))
        .setHostname(name)
        .setLogDirectory(directory.toString())
        .setLinux(
            LinuxPodSandboxConfig.newBuilder()
                .setSecurityContext(
                    LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(NAMESPACES)));
  }

  ContainerConfig.Builder container(String name, String... command) {
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName(name))
        .setImage(ImageSpec.newBuilder().setImage(image))
        .addAllCommand(List.of(command))
        .setLogPath(name + ".log")
        .setLinux(
            LinuxContainerConfig.newBuilder()
                .setSecurityContext(
                    LinuxContainerSecurityContext.newBuilder().setNamespaceOptions(NAMESPACES)));
  }

  ContainerConfig.Builder script(String name, String script) {
    return container(name, "sh", "-c", script);
  }

  String run(PodSandboxConfig.Builder sandbox) {
    return cri.get().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(sandbox).build())
        .getPodSandboxId();
  }

  String create(String sandbox, PodSandboxConfig.Builder config, ContainerConfig.Builder container) {
    return cri.get().createContainer(
            CreateContainerRequest.newBuilder()
                .setPodSandboxId(sandbox)
                .setConfig(container)
                .setSandboxConfig(config)
                .build())
        .getContainerId();
  }

  void start(String container) {
    cri.get().startContainer(StartContainerRequest.newBuilder().setContainerId(container).build());
  }

  /// A pod of one container that was started.
  record Started(String sandbox, String container, Path log) {}

  Started start(PodSandboxConfig.Builder sandbox, ContainerConfig.Builder container) {
    String id = run(sandbox);
    String made = create(id, sandbox, container);
    start(made);
    return new Started(
        id, made, Path.of(sandbox.getLogDirectory()).resolve(container.getLogPath()));
  }

  /// Runs a shell's script in a running container.
  ExecSyncResponse exec(String container, String script) {
    return exec(container, Patience.ofSeconds(30).toSeconds(), "sh", "-c", script);
  }

  ExecSyncResponse exec(String container, long seconds, String... command) {
    return cri.get()
        .withMaxInboundMessageSize(20 << 20)
        .execSync(
            ExecSyncRequest.newBuilder()
                .setContainerId(container)
                .addAllCmd(List.of(command))
                .setTimeout(seconds)
                .build());
  }

  /// What a script in a running container writes to its standard output, without the last newline.
  String output(String container, String script) {
    return exec(container, script).getStdout().toStringUtf8().strip();
  }

  ContainerStatus status(String container) {
    return cri.get().containerStatus(
            ContainerStatusRequest.newBuilder().setContainerId(container).build())
        .getStatus();
  }

  ContainerStatus awaitExit(String container) {
    return await()
        .atMost(Patience.ofSeconds(30))
        .pollInterval(Patience.toLookAgain(20))
        .until(() -> status(container), s -> s.getState() == ContainerState.CONTAINER_EXITED);
  }

  /// Stops and removes the sandbox with all its containers.
  void remove(String sandbox) {
    cri.get().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
    cri.get().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
  }

  /// The texts of a CRI log.
  static List<String> texts(Path log) {
    try {
      return Files.readAllLines(log).stream().map(l -> l.split(" ", 4)[3]).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
