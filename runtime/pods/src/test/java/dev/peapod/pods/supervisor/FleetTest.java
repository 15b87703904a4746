package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The workers' logic against a runtime of maps; the system tests do it with a real one.
@Timeout(120)
class FleetTest extends FleetCase {
  @Test
  void runsAPodAndReportsItAsKubernetesDoes() throws Exception {
    assertThat(
            apply(
                manifest(
                    "web", "Always", "{name: a, image: 'img:1'}", "{name: b, image: 'new:1'}")))
        .isEqualTo(Fleet.Result.CREATED);
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    PodSummary summary = summary(WEB);
    assertThat(summary.getStatus()).isEqualTo("Running");
    assertThat(summary.getPhase()).isEqualTo("Running");
    assertThat(summary.getIpsList()).containsExactly("127.0.0.1");
    assertThat(summary.getConditionsList())
        .allSatisfy(c -> assertThat(c.getStatus()).isEqualTo("True"));
    assertThat(runtime.calls).containsOnlyOnce("pull new:1").doesNotContain("pull img:1");
    assertThat(pod(WEB).getStatus().getQosClass()).isEqualTo("BestEffort");
    assertThat(fleet.events().after(0, e -> e.container().equals("b")))
        .extracting(EventLog.Event::reason)
        .containsExactly("Pulling", "Pulled", "Created", "Started");
  }

  @Test
  void containersAreKnownByTheNameOfTheirRuntime() throws Exception {
    runtime.fail("version", Status.UNAVAILABLE);
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> happened("Failed"));
    runtime.mend("version");
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(container(WEB, "a").getContainerID()).matches("maps://container[0-9]+");
    runtime.exitAll("a", 1);
    await().until(() -> container(WEB, "a").getRestartCount() == 1);
    assertThat(container(WEB, "a").getLastState().getTerminated().getContainerID())
        .matches("maps://container[0-9]+");
  }

  @Test
  void asksForTheSandboxAndContainersAsKubeletDoes() throws Exception {
    apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: x}, annotations: {note: pea}}
        spec:
          terminationGracePeriodSeconds: 7
          volumes: [{name: v, emptyDir: {}}]
          containers:
          - name: a
            image: img:1
            command: [run, $(GREETING), $$(GREETING), $(NONE)]
            env:
            - {name: WHO, value: pea}
            - {name: GREETING, value: hello $(WHO)}
            - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
            ports: [{containerPort: 80, hostPort: 8080}]
            resources: {limits: {cpu: 500m, memory: 64Mi}}
            volumeMounts: [{name: v, mountPath: /v, readOnly: true}]
            securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        """);
    await().until(() -> runtime.running("a") == 1);
    String uid = pod(new PodKey("shop", "web")).getMetadata().getUid();
    PodSandboxConfig sandbox = runtime.sandboxConfigs().getFirst();
    assertThat(sandbox.getLabelsMap())
        .containsEntry("app", "x")
        .containsEntry("io.kubernetes.pod.name", "web")
        .containsEntry("io.kubernetes.pod.namespace", "shop")
        .containsEntry("io.kubernetes.pod.uid", uid);
    assertThat(sandbox.getAnnotationsMap()).containsEntry("note", "pea");
    assertThat(sandbox.getLogDirectory()).isEqualTo(directory + "/logs/shop_web_" + uid);
    assertThat(sandbox.getLinux().getCgroupParent()).isEqualTo("/peapod/pods/pod" + uid);
    assertThat(sandbox.getPortMappings(0).getHostPort()).isEqualTo(8080);
    assertThat(sandbox.getLinux().getSecurityContext().getNamespaceOptions().getPid())
        .isEqualTo(NamespaceMode.POD);
    ContainerConfig config = runtime.config("a");
    assertThat(config.getCommandList())
        .containsExactly("run", "hello pea", "$(GREETING)", "$(NONE)");
    assertThat(config.getEnvsList())
        .extracting(e -> e.getKey() + "=" + e.getValue().toStringUtf8())
        .containsExactly("WHO=pea", "GREETING=hello pea", "IP=127.0.0.1", "APP=x");
    assertThat(config.getLogPath()).isEqualTo("a/0.log");
    assertThat(config.getLinux().getResources().getMemoryLimitInBytes()).isEqualTo(64L << 20);
    assertThat(config.getLinux().getResources().getCpuQuota()).isEqualTo(50_000);
    assertThat(config.getLinux().getResources().getCpuShares()).isEqualTo(512);
    assertThat(config.getLinux().getResources().getOomScoreAdj()).isEqualTo(-997);
    assertThat(config.getLinux().getSecurityContext().getRunAsUser().getValue()).isEqualTo(1000);
    assertThat(config.getLinux().getSecurityContext().getReadonlyRootfs()).isTrue();
    assertThat(config.getAnnotationsMap())
        .containsEntry("io.kubernetes.container.restartCount", "0")
        .containsEntry("io.kubernetes.pod.terminationGracePeriod", "7");
    assertThat(config.getMountsList())
        .extracting(m -> m.getContainerPath() + (m.getReadonly() ? " ro" : ""))
        .containsExactly("/v ro", "/etc/hosts ro", "/dev/termination-log");
    Path hosts = directory.resolve("root").resolve("pods/" + uid + "/etc-hosts");
    assertThat(hosts).content().contains("127.0.0.1\tweb\n");
  }

  @Test
  void restartsWhatCrashedWithBackOffAndLeavesTheNeighbourAlone() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}", "{name: b, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    runtime.exit("a", 3);
    await().until(() -> runtime.runningAttempt("a").equals(Optional.of(1)));
    await().until(() -> container(WEB, "a").getLastState().getTerminated() != null);
    assertThat(container(WEB, "a").getLastState().getTerminated().getExitCode()).isEqualTo(3);
    for (int attempt = 1; attempt < 4; attempt++) {
      runtime.exit("a", 1);
      int next = attempt + 1;
      await().until(() -> runtime.runningAttempt("a").equals(Optional.of(next)));
    }
    await().until(() -> summary(WEB).getRestarts() == 4);
    assertThat(happened("BackOff")).isTrue();
    assertThat(runtime.runningAttempt("b")).contains(0);
    assertThat(runtime.calls).filteredOn(c -> c.startsWith("run ")).hasSize(1);
    // The present instance and the one before it; older ones are removed.
    await().until(() -> runtime.instances() == 3);
  }

  @Test
  void showsTheBackOffWhileItWaits() throws Exception {
    config =
        config.withBackOff(Duration.ofMinutes(5), Duration.ofMinutes(5), Duration.ofMinutes(10));
    fleet.close();
    startFleet();
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> runtime.runningAttempt("a").equals(Optional.of(0)));
    awaitStatus("Running");
    runtime.exit("a", 1);
    await().until(() -> runtime.runningAttempt("a").equals(Optional.of(1)));
    await().until(() -> summary(WEB).getRestarts() == 1);
    runtime.exit("a", 1);
    awaitStatus("CrashLoopBackOff");
    assertThat(summary(WEB).getMessage()).contains("back-off 300s restarting failed container=a");
    assertThat(container(WEB, "a").getLastState().getTerminated().getExitCode()).isEqualTo(1);
  }

  @Test
  void endsWhenThePolicySaysSo() throws Exception {
    apply(manifest("web", "OnFailure", "{name: a, image: 'img:1'}", "{name: b, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    runtime.exit("a", 0);
    runtime.exit("b", 1);
    await().until(() -> runtime.runningAttempt("b").equals(Optional.of(1)));
    await().until(() -> summary(WEB).getRestarts() == 1);
    assertThat(summary(WEB).getPhase()).isEqualTo("Running");
    runtime.exit("b", 0);
    awaitStatus("Completed");
    assertThat(summary(WEB).getPhase()).isEqualTo("Succeeded");
    await().until(() -> runtime.calls.stream().anyMatch(c -> c.startsWith("stopSandbox")));
    assertThat(runtime.running("a")).isZero();
  }

  @Test
  void neverRestartsWhereThePolicyIsNever() throws Exception {
    apply(manifest("web", "Never", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    runtime.exit("a", 9);
    awaitStatus("Error");
    assertThat(summary(WEB).getPhase()).isEqualTo("Failed");
    fleet.close();
    startFleet();
    await().until(() -> summary(WEB).getPhase().equals("Failed"));
    assertThat(runtime.calls).filteredOn(c -> c.startsWith("start ")).hasSize(1);
  }

  @Test
  void runsInitContainersOneAfterTheOther() throws Exception {
    apply(
        manifest("web", "Always", "{name: a, image: 'img:1'}")
            + "  initContainers:\n  - {name: i, image: 'img:1'}\n  - {name: j, image: 'img:1'}\n");
    await().until(() -> runtime.running("i") == 1);
    awaitStatus("Init:0/2");
    assertThat(runtime.running("j")).isZero();
    runtime.exit("i", 1);
    await().until(() -> runtime.runningAttempt("i").equals(Optional.of(1)));
    await().until(() -> summary(WEB).getStatus().equals("Init:0/2"));
    runtime.exit("i", 0);
    await().until(() -> runtime.running("j") == 1);
    awaitStatus("Init:1/2");
    assertThat(runtime.running("a")).isZero();
    runtime.exit("j", 0);
    await().until(() -> summary(WEB).getReadyContainers() == 1);
  }

  @Test
  void triesAgainWhenTheImageIsNotThere() throws Exception {
    runtime.fail(
        "pull", Status.NOT_FOUND.withDescription("docker.io/library/none:1: manifest unknown"));
    apply(manifest("web", "Always", "{name: a, image: 'none:1'}"));
    awaitStatus("ImagePullBackOff");
    assertThat(summary(WEB).getMessage())
        .isEqualTo(
            "a: Failed to pull image \"none:1\": docker.io/library/none:1: manifest unknown");
    assertThat(summary(WEB).getPhase()).isEqualTo("Pending");
    runtime.mend("pull");
    await().until(() -> runtime.running("a") == 1);
    awaitStatus("Running");
  }

  @Test
  void doesNotPullWhereThePolicyIsNever() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'none:1', imagePullPolicy: Never}"));
    awaitStatus("ErrImageNeverPull");
    assertThat(runtime.calls).doesNotContain("pull none:1");
  }

  @Test
  void saysWhyAContainerCanNotStart() throws Exception {
    runtime.fail(
        "start:a", Status.INVALID_ARGUMENT.withDescription("exec: \"nope\": not found in PATH"));
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    awaitStatus("RunContainerError");
    assertThat(summary(WEB).getMessage()).contains("exec: \"nope\": not found in PATH");
    runtime.mend("start:a");
    await().until(() -> runtime.running("a") == 1);
    awaitStatus("Running");
  }

  @Test
  void failsForGoodWhereTheContainerCanNotStartAndIsNeverRestarted() throws Exception {
    runtime.fail("start:a", Status.INVALID_ARGUMENT.withDescription("not executable"));
    apply(manifest("web", "Never", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getPhase().equals("Failed"));
    assertThat(summary(WEB).getMessage()).contains("not executable");
  }

  @Test
  void makesTheSandboxAgainAfterAFailure() throws Exception {
    runtime.fail("run", Status.RESOURCE_EXHAUSTED.withDescription("host port 80 is taken"));
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getMessage().contains("host port 80 is taken"));
    assertThat(happened("FailedCreatePodSandBox")).isTrue();
    runtime.mend("run");
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(summary(WEB).getMessage()).isEmpty();
  }

  @Test
  void makesANewSandboxWhenTheOldOneIsLost() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    runtime.loseSandboxes();
    await()
        .until(
            () ->
                runtime.sandboxConfigs().stream().anyMatch(c -> c.getMetadata().getAttempt() == 1));
    await().until(() -> summary(WEB).getReadyContainers() == 1 && summary(WEB).getRestarts() == 1);
    await().until(() -> runtime.sandboxConfigs().size() == 1);
    assertThat(container(WEB, "a").getLastState().getTerminated().getExitCode()).isEqualTo(137);
  }

  @Test
  void restartsAnUnhealthyContainerAlone() throws Exception {
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', livenessProbe: {exec: {command: [check]}, periodSeconds: 1,"
                + " failureThreshold: 1}}",
            "{name: b, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    runtime.exec = request -> 1;
    await().until(() -> runtime.calls.contains("stop a 30"));
    runtime.exec = request -> 0;
    await()
        .until(
            () ->
                runtime.runningAttempt("a").isPresent() && runtime.runningAttempt("a").get() >= 1);
    assertThat(runtime.runningAttempt("b")).contains(0);
    assertThat(happened("Unhealthy")).isTrue();
    assertThat(happened("Killing")).isTrue();
  }

  @Test
  void isReadyWhenTheReadinessProbeSaysSo() throws Exception {
    runtime.exec = request -> 1;
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', readinessProbe: {exec: {command: [check]}, periodSeconds:"
                + " 1}}"));
    await().until(() -> happened("Unhealthy"));
    assertThat(summary(WEB).getReadyContainers()).isZero();
    assertThat(summary(WEB).getStatus()).isEqualTo("Running");
    runtime.exec = request -> 0;
    await().until(() -> summary(WEB).getReadyContainers() == 1);
  }

  @Test
  void adoptsWhatRunsWithoutTouchingIt() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}", "{name: b, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    String uid = summary(WEB).getUid();
    fleet.close();
    int before = runtime.calls.size();
    runtime.exit("b", 42);
    startFleet();
    await().until(() -> runtime.runningAttempt("b").equals(Optional.of(1)));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    assertThat(runtime.calls.subList(before, runtime.calls.size()))
        .containsExactly("create b 1", "start b 1");
    assertThat(summary(WEB).getUid()).isEqualTo(uid);
    assertThat(container(WEB, "b").getLastState().getTerminated().getExitCode()).isEqualTo(42);
    assertThat(container(WEB, "b").getRestartCount()).isEqualTo(1);
  }

  @Test
  void remembersRestartsWhenTheRuntimeHasForgotten() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    runtime.exit("a", 5);
    await().until(() -> runtime.runningAttempt("a").equals(Optional.of(1)));
    await().until(() -> summary(WEB).getRestarts() == 1);
    fleet.close();
    Cri cri = new Cri(channel);
    cri.sandboxes(java.util.Map.of()).forEach(s -> cri.removeSandbox(s.getId()));
    startFleet();
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(summary(WEB).getRestarts()).isEqualTo(2);
  }

  @Test
  void deletesEverythingOfAPod() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(fleet.delete(WEB, Optional.of(4L))).isTrue();
    fleet.awaitGone(WEB);
    assertThat(runtime.calls).contains("stop a 4");
    assertThat(runtime.isEmpty()).isTrue();
    assertThat(fleet.board().get(WEB)).isEmpty();
    assertThat(files(config.podsDirectory())).isEmpty();
    assertThat(files(config.logRoot())).isEmpty();
    assertThat(fleet.delete(WEB, Optional.empty())).isFalse();
  }

  @Test
  void goesOnDeletingAfterARestart() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    runtime.fail("removeSandbox", Status.INTERNAL.withDescription("busy"));
    fleet.delete(WEB, Optional.of(1L));
    await().until(() -> summary(WEB).getMessage().contains("busy"));
    assertThat(summary(WEB).getStatus()).isEqualTo("Terminating");
    fleet.close();
    runtime.mend("removeSandbox");
    startFleet();
    await().until(() -> fleet.board().get(WEB).isEmpty());
    assertThat(runtime.isEmpty()).isTrue();
  }

  @Test
  void deletesAPodThatNeverCameUp() throws Exception {
    runtime.fail("run", Status.INTERNAL.withDescription("no"));
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> !summary(WEB).getMessage().isEmpty());
    fleet.delete(WEB, Optional.empty());
    fleet.awaitGone(WEB);
    assertThat(files(config.podsDirectory())).isEmpty();
  }

  @Test
  void appliesTheSameAgainWithoutAChange() throws Exception {
    String text = manifest("web", "Always", "{name: a, image: 'img:1'}");
    apply(text);
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(apply(text)).isEqualTo(Fleet.Result.UNCHANGED);
    assertThat(apply(text.replace("app: x", "app: z"))).isEqualTo(Fleet.Result.CONFIGURED);
    await().until(() -> "z".equals(summary(WEB).getLabelsMap().get("app")));
    assertThat(runtime.calls).filteredOn(c -> c.startsWith("start ")).hasSize(1);
  }

  @Test
  void refusesAnotherSpecUnlessItIsToReplace() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    String uid = summary(WEB).getUid();
    String other = manifest("web", "Always", "{name: c, image: 'img:1'}");
    assertThatThrownBy(() -> apply(other))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.ALREADY_EXISTS))
        .hasMessageContaining("--replace");
    assertThat(fleet.apply(read(other), true, true).getFirst().result())
        .isEqualTo(Fleet.Result.REPLACED);
    assertThat(summary(WEB).getUid()).isEqualTo(uid);
    assertThat(fleet.apply(read(other), true, false).getFirst().result())
        .isEqualTo(Fleet.Result.REPLACED);
    await().until(() -> runtime.running("c") == 1);
    assertThat(runtime.running("a")).isZero();
    assertThat(summary(WEB).getUid()).isNotEqualTo(uid);
  }

  @Test
  void makesNothingIfOneOfSeveralCanNotBeApplied() throws Exception {
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', ports: [{containerPort: 80, hostPort: 80}]}"));
    String text =
        manifest("one", "Always", "{name: a, image: 'img:1'}")
            + "---\n"
            + manifest(
                "two",
                "Always",
                "{name: a, image: 'img:1', ports: [{containerPort: 8, hostPort: 80}]}");
    assertThatThrownBy(() -> apply(text))
        .hasMessage(
            "host port 0.0.0.0:80/TCP that pod default/two asks for is taken by pod default/web");
    assertThat(fleet.board().list().entries()).hasSize(1);
  }

  @Test
  void setsAsideWhatItCanNotRead() throws Exception {
    apply(manifest("web", "Always", "{name: a, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    fleet.close();
    Path broken = config.podsDirectory().resolve("broken");
    Files.createDirectories(broken);
    Files.writeString(broken.resolve("pod.json"), "{");
    startFleet();
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(files(config.podsDirectory())).anyMatch(f -> f.startsWith(".broken-broken-"));
  }

  @Test
  void removesSandboxesOfItsOwnWithoutAPodAndLeavesOthers() throws Exception {
    fleet.close();
    Cri cri = new Cri(channel);
    PodSandboxConfig.Builder foreign =
        PodSandboxConfig.newBuilder().putLabels(Labels.POD_UID, "foreign");
    cri.runSandbox(foreign.build());
    cri.runSandbox(
        PodSandboxConfig.newBuilder()
            .putLabels(Labels.POD_UID, "gone")
            .putAnnotations(Labels.SUPERVISOR, config.podsDirectory().toString())
            .build());
    startFleet();
    await().until(() -> runtime.sandboxConfigs().size() == 1);
    assertThat(runtime.sandboxConfigs().getFirst().getLabelsOrThrow(Labels.POD_UID))
        .isEqualTo("foreign");
  }

  private static List<String> files(Path root) throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> list = Files.list(root)) {
      return list.map(p -> p.getFileName().toString()).toList();
    }
  }
}
