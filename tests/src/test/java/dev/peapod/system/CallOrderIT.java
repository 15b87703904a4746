package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PortMapping;
import dev.peapod.proto.runtime.v1.Protocol;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.ReopenContainerLogRequest;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// The same calls at once, calls in the wrong order, ids that are gone or short, and names of what was not made after all.
final class CallOrderIT extends KubeletTest {
  private static final int CALLERS = 8;

  private void stop(String container) {
    peapod
        .cri()
        .stopContainer(
            StopContainerRequest.newBuilder().setContainerId(container).setTimeout(2).build());
  }

  private void remove(String container) {
    peapod
        .cri()
        .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container).build());
  }

  private void stopSandbox(String sandbox) {
    peapod
        .cri()
        .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
  }

  private void removeSandbox(String sandbox) {
    peapod
        .cri()
        .removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
  }

  private static Status.Code code(Runnable call) {
    try {
      call.run();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  /// Makes the same call from several callers at once, and answers how often each code came.
  private static Map<Status.Code, Integer> atOnce(Runnable call) throws Exception {
    List<Callable<Status.Code>> calls = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      calls.add(() -> code(call));
    }
    Map<Status.Code, Integer> codes = new HashMap<>();
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      for (Future<Status.Code> answer : callers.invokeAll(calls)) {
        codes.merge(answer.get(), 1, Integer::sum);
      }
    }
    return codes;
  }

  private String onlySandbox() {
    return peapod
        .cri()
        .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
        .getItemsList()
        .getFirst()
        .getId();
  }

  private String onlyContainer() {
    return peapod
        .cri()
        .listContainers(ListContainersRequest.getDefaultInstance())
        .getContainersList()
        .getFirst()
        .getId();
  }

  private void assertNothingIsLeft() {
    assertThat(
            peapod.cri().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList())
        .isEmpty();
    assertThat(
            peapod
                .cri()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersList())
        .isEmpty();
    assertThat(PodProcesses.of(peapod)).isEmpty();
  }

  @Test
  void theSameCallsAtOnce() throws Exception {
    Map<Status.Code, Integer> all = Map.of(Status.Code.OK, CALLERS);
    PodSandboxConfig.Builder config = cri.sandbox("at-once");
    ContainerConfig.Builder sleep = cri.container("main", "sleep", "100030");
    for (int round = 0; round < 3; round++) {
      // One of them has it; the others are told that it is taken.
      assertThat(atOnce(() -> cri.run(config)))
          .isEqualTo(Map.of(Status.Code.OK, 1, Status.Code.ALREADY_EXISTS, CALLERS - 1));
      String sandbox = onlySandbox();
      assertThat(atOnce(() -> cri.create(sandbox, config, sleep)))
          .isEqualTo(Map.of(Status.Code.OK, 1, Status.Code.ALREADY_EXISTS, CALLERS - 1));
      String container = onlyContainer();
      assertThat(atOnce(() -> cri.start(container)))
          .isEqualTo(Map.of(Status.Code.OK, 1, Status.Code.FAILED_PRECONDITION, CALLERS - 1));
      // What is to be so in the end, all of them have done.
      assertThat(atOnce(() -> stop(container))).isEqualTo(all);
      assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
      assertThat(atOnce(() -> remove(container))).isEqualTo(all);
      assertThat(atOnce(() -> stopSandbox(sandbox))).isEqualTo(all);
      assertThat(atOnce(() -> removeSandbox(sandbox))).isEqualTo(all);
      assertNothingIsLeft();
    }
  }

  @Test
  void inTheWrongOrder() {
    PodSandboxConfig.Builder config = cri.sandbox("wrong-order");
    String sandbox = cri.run(config);
    String made = cri.create(sandbox, config, cri.container("made", "sleep", "100031"));
    // Not started yet.
    assertThat(code(() -> exec(made, "true"))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(
            code(
                () ->
                    peapod
                        .cri()
                        .reopenContainerLog(
                            ReopenContainerLogRequest.newBuilder().setContainerId(made).build())))
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThatCode(() -> stop(made)).doesNotThrowAnyException();
    // Stopped while one container is made and another runs.
    String running = cri.create(sandbox, config, cri.container("running", "sleep", "100031"));
    cri.start(running);
    stopSandbox(sandbox);
    assertThat(cri.status(running).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(code(() -> cri.start(made))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(code(() -> cri.create(sandbox, config, cri.container("late", "true"))))
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    removeSandbox(sandbox);
    // The parts after the whole.
    assertThatCode(() -> stop(running)).doesNotThrowAnyException();
    assertThatCode(() -> remove(running)).doesNotThrowAnyException();
    assertThatCode(() -> stopSandbox(sandbox)).doesNotThrowAnyException();
    assertThat(code(() -> cri.create(sandbox, config, cri.container("late", "true"))))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> cri.start(made))).isEqualTo(Status.Code.NOT_FOUND);
    assertNothingIsLeft();
  }

  @Test
  void idsMayBeShortened() {
    PodSandboxConfig.Builder config = cri.sandbox("short");
    String sandbox = cri.run(config);
    String first = cri.create(sandbox, config, cri.container("c0", "sleep", "100032"));
    cri.start(first.substring(0, 12));
    assertThat(exec(first.substring(0, 12), "echo here")).isEqualTo("here");
    assertThat(cri.status(first.substring(0, 12)).getId()).isEqualTo(first);
    assertThat(
            peapod
                .cri()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder()
                        .setPodSandboxId(sandbox.substring(0, 12))
                        .build())
                .getStatus()
                .getId())
        .isEqualTo(sandbox);
    // Of seventeen, two begin with the same of sixteen digits.
    Map<Character, Integer> digits = new HashMap<>(Map.of(first.charAt(0), 1));
    char shared = 0;
    for (int i = 1; shared == 0; i++) {
      char digit = cri.create(sandbox, config, cri.container("c" + i, "true")).charAt(0);
      if (digits.merge(digit, 1, Integer::sum) == 2) {
        shared = digit;
      }
    }
    String ambiguous = String.valueOf(shared);
    assertThat(code(() -> cri.status(ambiguous))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> remove(ambiguous))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    stop(first.substring(0, 12));
    remove(first.substring(0, 12));
    assertThat(code(() -> cri.status(first))).isEqualTo(Status.Code.NOT_FOUND);
    removeSandbox(sandbox.substring(0, 12));
    assertNothingIsLeft();
    assertThat(
            code(
                () ->
                    peapod
                        .cri()
                        .containerStatus(ContainerStatusRequest.getDefaultInstance())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void aNameIsFreeAgainIfNothingWasMade() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("half-way");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
      // Fails late: cgroup, processes and network are there by then.
      PodSandboxConfig.Builder clash =
          config
              .clone()
              .addPortMappings(
                  PortMapping.newBuilder()
                      .setProtocol(Protocol.TCP)
                      .setContainerPort(80)
                      .setHostPort(taken.getLocalPort()));
      for (int i = 0; i < 3; i++) {
        assertThat(code(() -> cri.run(clash)))
            .isNotIn(Status.Code.OK, Status.Code.ALREADY_EXISTS, Status.Code.INTERNAL);
        assertNothingIsLeft();
      }
    }
    String sandbox = cri.run(config);
    ContainerConfig.Builder bad = cri.container("main", "true");
    bad.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("nobody-i-know");
    for (int i = 0; i < 3; i++) {
      assertThat(code(() -> cri.create(sandbox, config, bad)))
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    String container = cri.create(sandbox, config, cri.container("main", "true"));
    assertThat(code(() -> cri.create(sandbox, config, cri.container("main", "true"))))
        .isEqualTo(Status.Code.ALREADY_EXISTS);
    remove(container);
    cri.create(sandbox, config, cri.container("main", "true"));
    removeSandbox(sandbox);
    assertNothingIsLeft();
    assertThatCode(() -> removeSandbox(cri.run(config))).doesNotThrowAnyException();
  }
}
