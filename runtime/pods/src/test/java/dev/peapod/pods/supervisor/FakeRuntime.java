package dev.peapod.pods.supervisor;

import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerMetadata;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.ContainerStatusResponse;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.CreateContainerResponse;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.ImageStatusResponse;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListContainersResponse;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxResponse;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxNetworkStatus;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import dev.peapod.proto.runtime.v1.PodSandboxStatus;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PodSandboxStatusResponse;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.PullImageResponse;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerResponse;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxResponse;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxResponse;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StartContainerResponse;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopContainerResponse;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxResponse;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesRequest;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesResponse;
import dev.peapod.proto.runtime.v1.VersionRequest;
import dev.peapod.proto.runtime.v1.VersionResponse;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// A CRI runtime of maps, for the worker's logic alone: nothing runs. Tests end containers, lose
/// sandboxes and make calls fail. Thread-safe.
final class FakeRuntime {
  private record Sandbox(String id, PodSandboxConfig config, boolean ready) {}

  private record Instance(
      String id,
      String sandbox,
      ContainerConfig config,
      ContainerState state,
      int exitCode,
      long startedAt,
      long finishedAt) {}

  private final Map<String, Sandbox> sandboxes = new LinkedHashMap<>();
  private final Map<String, Instance> instances = new LinkedHashMap<>();
  private final Map<String, Image> images = new HashMap<>();
  private final Map<String, Status> failures = new HashMap<>();
  private int serial;

  /// Method and argument of every call that changes something, in order.
  final List<String> calls = new CopyOnWriteArrayList<>();

  volatile Function<ExecSyncRequest, Integer> exec = request -> 0;

  /// Has the next calls of a method (and container name, `create:web`) fail; null ends it.
  synchronized void fail(String what, Status status) {
    failures.put(what, status);
  }

  synchronized void mend(String what) {
    failures.remove(what);
  }

  /// Makes an image present and answers its id.
  synchronized String addImage(String reference) {
    String id = "sha256:" + reference.hashCode();
    images.put(reference, Image.newBuilder().setId(id).addRepoTags(reference).build());
    return id;
  }

  /// Ends the newest instance of a container.
  synchronized void exit(String name, int code) {
    Instance found = newest(name).orElseThrow();
    instances.put(
        found.id,
        new Instance(
            found.id,
            found.sandbox,
            found.config,
            ContainerState.CONTAINER_EXITED,
            code,
            found.startedAt,
            now()));
  }

  /// Ends all running instances of a container.
  void exitAll(String name, int code) {
    exitAll(name, code, config -> true);
  }

  /// Ends those running instances of a container that were made by such a configuration.
  synchronized void exitAll(String name, int code, Predicate<ContainerConfig> which) {
    instances.values().stream()
        .filter(i -> i.config.getMetadata().getName().equals(name) && which.test(i.config))
        .map(Instance::id)
        .toList()
        .forEach(id -> end(id, code));
  }

  synchronized void loseSandboxes() {
    sandboxes.replaceAll((id, s) -> new Sandbox(id, s.config, false));
    instances.keySet().stream().toList().forEach(id -> end(id, 137));
  }

  synchronized int running(String name) {
    return (int)
        instances.values().stream()
            .filter(i -> i.config.getMetadata().getName().equals(name))
            .filter(i -> i.state == ContainerState.CONTAINER_RUNNING)
            .count();
  }

  synchronized Optional<Integer> runningAttempt(String name) {
    return newest(name)
        .filter(i -> i.state == ContainerState.CONTAINER_RUNNING)
        .map(i -> i.config.getMetadata().getAttempt());
  }

  synchronized ContainerConfig config(String name) {
    return newest(name).orElseThrow().config;
  }

  synchronized List<PodSandboxConfig> sandboxConfigs() {
    return sandboxes.values().stream().map(Sandbox::config).toList();
  }

  synchronized boolean isEmpty() {
    return sandboxes.isEmpty() && instances.isEmpty();
  }

  synchronized int instances() {
    return instances.size();
  }

  private Optional<Instance> newest(String name) {
    return instances.values().stream()
        .filter(i -> i.config.getMetadata().getName().equals(name))
        .reduce((a, b) -> b);
  }

  private void end(String id, int code) {
    Instance i = instances.get(id);
    if (i != null && i.state == ContainerState.CONTAINER_RUNNING) {
      instances.put(
          id,
          new Instance(
              id, i.sandbox, i.config, ContainerState.CONTAINER_EXITED, code, i.startedAt, now()));
    }
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  private void check(String what) {
    Status failure = failures.get(what);
    if (failure != null) {
      throw failure.asRuntimeException();
    }
  }

  private <T> void answer(StreamObserver<T> observer, Supplier<T> work) {
    T result;
    try {
      synchronized (this) {
        result = work.get();
      }
    } catch (StatusRuntimeException e) {
      observer.onError(e);
      return;
    }
    observer.onNext(result);
    observer.onCompleted();
  }

  private static StatusRuntimeException notFound(String id) {
    return Status.NOT_FOUND.withDescription("no " + id).asRuntimeException();
  }

  List<BindableService> services() {
    return List.of(new Runtime(), new Images());
  }

  private final class Runtime extends RuntimeServiceGrpc.RuntimeServiceImplBase {
    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
      answer(
          observer,
          () -> {
            check("version");
            return VersionResponse.newBuilder().setRuntimeName("maps").build();
          });
    }

    @Override
    public void runPodSandbox(
        RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> observer) {
      answer(
          observer,
          () -> {
            calls.add("run " + request.getConfig().getMetadata().getName());
            check("run");
            String id = "sandbox" + ++serial;
            sandboxes.put(id, new Sandbox(id, request.getConfig(), true));
            return RunPodSandboxResponse.newBuilder().setPodSandboxId(id).build();
          });
    }

    @Override
    public void stopPodSandbox(
        StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> observer) {
      answer(
          observer,
          () -> {
            String id = request.getPodSandboxId();
            calls.add("stopSandbox " + id);
            Sandbox sandbox = sandboxes.get(id);
            if (sandbox != null) {
              sandboxes.put(id, new Sandbox(id, sandbox.config, false));
              instances.values().stream()
                  .filter(i -> i.sandbox.equals(id))
                  .map(Instance::id)
                  .toList()
                  .forEach(i -> end(i, 137));
            }
            return StopPodSandboxResponse.getDefaultInstance();
          });
    }

    @Override
    public void removePodSandbox(
        RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> observer) {
      answer(
          observer,
          () -> {
            check("removeSandbox");
            calls.add("removeSandbox " + request.getPodSandboxId());
            sandboxes.remove(request.getPodSandboxId());
            instances.values().removeIf(i -> i.sandbox.equals(request.getPodSandboxId()));
            return RemovePodSandboxResponse.getDefaultInstance();
          });
    }

    @Override
    public void podSandboxStatus(
        PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> observer) {
      answer(
          observer,
          () -> {
            Sandbox sandbox = sandboxes.get(request.getPodSandboxId());
            if (sandbox == null) {
              throw notFound(request.getPodSandboxId());
            }
            return PodSandboxStatusResponse.newBuilder()
                .setStatus(
                    PodSandboxStatus.newBuilder()
                        .setId(sandbox.id)
                        .setState(state(sandbox))
                        .setNetwork(PodSandboxNetworkStatus.newBuilder().setIp("127.0.0.1")))
                .build();
          });
    }

    private PodSandboxState state(Sandbox sandbox) {
      return sandbox.ready ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
    }

    @Override
    public void listPodSandbox(
        ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> observer) {
      answer(
          observer,
          () -> {
            check("list");
            ListPodSandboxResponse.Builder response = ListPodSandboxResponse.newBuilder();
            for (Sandbox s : sandboxes.values()) {
              if (s.config
                  .getLabelsMap()
                  .entrySet()
                  .containsAll(request.getFilter().getLabelSelectorMap().entrySet())) {
                response.addItems(
                    PodSandbox.newBuilder()
                        .setId(s.id)
                        .setMetadata(s.config.getMetadata())
                        .setState(state(s))
                        .putAllLabels(s.config.getLabelsMap())
                        .putAllAnnotations(s.config.getAnnotationsMap()));
              }
            }
            return response.build();
          });
    }

    @Override
    public void createContainer(
        CreateContainerRequest request, StreamObserver<CreateContainerResponse> observer) {
      answer(
          observer,
          () -> {
            ContainerMetadata metadata = request.getConfig().getMetadata();
            calls.add("create " + metadata.getName() + " " + metadata.getAttempt());
            check("create:" + metadata.getName());
            for (Instance i : instances.values()) {
              if (i.sandbox.equals(request.getPodSandboxId())
                  && i.config.getMetadata().equals(metadata)) {
                throw Status.ALREADY_EXISTS.withDescription("name is taken").asRuntimeException();
              }
            }
            String id = "container" + ++serial;
            instances.put(
                id,
                new Instance(
                    id,
                    request.getPodSandboxId(),
                    request.getConfig(),
                    ContainerState.CONTAINER_CREATED,
                    0,
                    0,
                    0));
            return CreateContainerResponse.newBuilder().setContainerId(id).build();
          });
    }

    @Override
    public void startContainer(
        StartContainerRequest request, StreamObserver<StartContainerResponse> observer) {
      answer(
          observer,
          () -> {
            Instance i = instances.get(request.getContainerId());
            if (i == null) {
              throw notFound(request.getContainerId());
            }
            String name = i.config.getMetadata().getName();
            calls.add("start " + name + " " + i.config.getMetadata().getAttempt());
            boolean fails = failures.containsKey("start:" + name);
            instances.put(
                i.id,
                new Instance(
                    i.id,
                    i.sandbox,
                    i.config,
                    fails ? ContainerState.CONTAINER_EXITED : ContainerState.CONTAINER_RUNNING,
                    fails ? 128 : 0,
                    now(),
                    0));
            check("start:" + name);
            return StartContainerResponse.getDefaultInstance();
          });
    }

    @Override
    public void stopContainer(
        StopContainerRequest request, StreamObserver<StopContainerResponse> observer) {
      answer(
          observer,
          () -> {
            Instance i = instances.get(request.getContainerId());
            calls.add(
                "stop "
                    + (i == null ? "?" : i.config.getMetadata().getName())
                    + " "
                    + request.getTimeout());
            end(request.getContainerId(), 143);
            return StopContainerResponse.getDefaultInstance();
          });
    }

    @Override
    public void updateContainerResources(
        UpdateContainerResourcesRequest request,
        StreamObserver<UpdateContainerResourcesResponse> observer) {
      answer(
          observer,
          () -> {
            calls.add("update " + request.getLinux().getCpuQuota());
            check("update");
            return UpdateContainerResourcesResponse.getDefaultInstance();
          });
    }

    @Override
    public void removeContainer(
        RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> observer) {
      answer(
          observer,
          () -> {
            instances.remove(request.getContainerId());
            return RemoveContainerResponse.getDefaultInstance();
          });
    }

    @Override
    public void listContainers(
        ListContainersRequest request, StreamObserver<ListContainersResponse> observer) {
      answer(
          observer,
          () -> {
            check("list");
            ListContainersResponse.Builder response = ListContainersResponse.newBuilder();
            for (Instance i : instances.values()) {
              if (i.config
                  .getLabelsMap()
                  .entrySet()
                  .containsAll(request.getFilter().getLabelSelectorMap().entrySet())) {
                response.addContainers(
                    Container.newBuilder()
                        .setId(i.id)
                        .setPodSandboxId(i.sandbox)
                        .setMetadata(i.config.getMetadata())
                        .setState(i.state)
                        .putAllLabels(i.config.getLabelsMap()));
              }
            }
            return response.build();
          });
    }

    @Override
    public void containerStatus(
        ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> observer) {
      answer(
          observer,
          () -> {
            Instance i = instances.get(request.getContainerId());
            if (i == null) {
              throw notFound(request.getContainerId());
            }
            return ContainerStatusResponse.newBuilder()
                .setStatus(
                    ContainerStatus.newBuilder()
                        .setId(i.id)
                        .setMetadata(i.config.getMetadata())
                        .setState(i.state)
                        .setExitCode(i.exitCode)
                        .setStartedAt(i.startedAt)
                        .setFinishedAt(i.finishedAt))
                .build();
          });
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> observer) {
      answer(
          observer,
          () -> {
            calls.add("exec " + String.join(" ", request.getCmdList()));
            return ExecSyncResponse.newBuilder().setExitCode(exec.apply(request)).build();
          });
    }
  }

  private final class Images extends ImageServiceGrpc.ImageServiceImplBase {
    @Override
    public void imageStatus(
        ImageStatusRequest request, StreamObserver<ImageStatusResponse> observer) {
      answer(
          observer,
          () -> {
            ImageStatusResponse.Builder response = ImageStatusResponse.newBuilder();
            List<Image> found = new ArrayList<>();
            images.forEach(
                (reference, image) -> {
                  if (reference.equals(request.getImage().getImage())
                      || image.getId().equals(request.getImage().getImage())) {
                    found.add(image);
                  }
                });
            found.stream().findFirst().ifPresent(response::setImage);
            return response.build();
          });
    }

    @Override
    public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> observer) {
      answer(
          observer,
          () -> {
            String reference = request.getImage().getImage();
            calls.add("pull " + reference);
            check("pull");
            return PullImageResponse.newBuilder().setImageRef(addImage(reference)).build();
          });
    }
  }
}
