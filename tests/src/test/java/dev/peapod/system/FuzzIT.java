package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Message;
import dev.peapod.proto.runtime.v1.Api;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.VersionRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Requests that nobody means, against the installed daemon: each is answered with a reason that is the asker's, soon,
/// and the daemon goes on. `-Dpeapod.tests.fuzz.requests=N` and `-Dpeapod.tests.fuzz.seed=N` for a longer run.
///
/// A generator of its own instead of a coverage-guided fuzzer (Jazzer): that one is led by what it sees of code in its own
/// process, and of a daemon in another one, where namespaces, mounts and files are the things to break, it sees nothing.
final class FuzzIT extends KubeletTest {
  private static final long SEED = Long.getLong("peapod.tests.fuzz.seed", 20261122);
  private static final int REQUESTS = Integer.getInteger("peapod.tests.fuzz.requests", 1500);
  private static final int SECONDS = 20;

  private static final Set<Status.Code> FINE =
      Set.of(
          Status.Code.OK,
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.ALREADY_EXISTS,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.RESOURCE_EXHAUSTED,
          Status.Code.UNIMPLEMENTED,
          Status.Code.UNAVAILABLE);

  // One ends with its listener, one runs commands for as long as they take, and pulls wait for a network.
  private static final Set<String> LEFT_OUT = Set.of("GetContainerEvents", "ExecSync", "PullImage", "RemoveImage");

  private record Raw(byte[] bytes) {}

  private static final io.grpc.MethodDescriptor.Marshaller<Raw> BYTES =
      new io.grpc.MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(Raw value) {
          return new ByteArrayInputStream(value.bytes());
        }

        @Override
        public Raw parse(InputStream stream) {
          try {
            return new Raw(stream.readAllBytes());
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        }
      };

  private Status ask(MethodDescriptor method, byte[] request) {
    Channel channel = peapod.cri().getChannel();
    io.grpc.MethodDescriptor<Raw, Raw> call =
        io.grpc.MethodDescriptor.newBuilder(BYTES, BYTES)
            .setFullMethodName(method.getService().getFullName() + "/" + method.getName())
            .setType(
                method.isServerStreaming()
                    ? io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING
                    : io.grpc.MethodDescriptor.MethodType.UNARY)
            .build();
    CallOptions soon = CallOptions.DEFAULT.withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    try {
      ClientCalls.blockingServerStreamingCall(channel, call, soon, new Raw(request))
          .forEachRemaining(answer -> {});
      return Status.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus();
    }
  }

  private static List<MethodDescriptor> methods() {
    List<MethodDescriptor> methods = new ArrayList<>();
    for (ServiceDescriptor service : Api.getDescriptor().getServices()) {
      service.getMethods().stream()
          .filter(method -> !LEFT_OUT.contains(method.getName()))
          .forEach(methods::add);
    }
    return methods;
  }

  private RunPodSandboxRequest run(String name) {
    return RunPodSandboxRequest.newBuilder().setConfig(cri.sandbox(name)).build();
  }

  private CreateContainerRequest create(
      String sandbox, PodSandboxConfig.Builder config, String name) {
    return CreateContainerRequest.newBuilder()
        .setPodSandboxId(sandbox)
        .setConfig(cri.container(name, "sleep", "1000"))
        .setSandboxConfig(config)
        .build();
  }

  @Test
  void whatNobodyMeansIsAnsweredWithAReason() {
    RandomRequests requests = new RandomRequests(SEED, peapod.directory().resolve("fuzz").toString());
    PodSandboxConfig.Builder config = cri.sandbox("fuzzed");
    CriPods.Started pod = cri.start(config, cri.script("main", "exec sleep 1000"));
    requests.know(pod.sandbox());
    requests.know(pod.container());
    List<MethodDescriptor> methods = methods();
    int made = 0;
    for (int i = 0; i < REQUESTS; i++) {
      MethodDescriptor method = requests.any(methods);
      Message request =
          switch (method.getName()) {
            case "RunPodSandbox" -> requests.changed(run("fuzz-" + i));
            case "CreateContainer" -> requests.changed(create(pod.sandbox(), config, "c-" + i));
            default -> requests.message(method.getInputType());
          };
      Status status = ask(method, request.toByteArray());
      if (request.getDescriptorForType() == RunPodSandboxRequest.getDescriptor() && status.isOk()) {
        made++;
      }
      if (!FINE.contains(status.getCode())) {
        fail(
            "request %d of seed %d, %s, was answered %s:\n%s\n%s"
                .formatted(i, SEED, method.getName(), status, request, peapod.log()));
      }
    }
    assertThat(made).as("requests that were good after all").isPositive();
    for (PodSandbox sandbox :
        peapod.cri().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()) {
      cri.remove(sandbox.getId());
    }
    List<Container> left =
        peapod
            .cri()
            .listContainers(ListContainersRequest.getDefaultInstance())
            .getContainersList();
    assertThat(left).isEmpty();
  }

  @Test
  void bytesThatAreNoRequestAreRefused() {
    Random random = new Random(SEED);
    for (MethodDescriptor method : methods()) {
      byte[] bytes = new byte[40];
      random.nextBytes(bytes);
      // An unfinished field of a length that no message has.
      bytes[0] = 0x0a;
      bytes[1] = 0x7f;
      Status status = ask(method, bytes);
      assertThat(status.getCode()).as(method.getName() + ": " + status).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    assertThat(peapod.cri().version(VersionRequest.getDefaultInstance()).getRuntimeName()).isEqualTo("peapod");
  }
}
