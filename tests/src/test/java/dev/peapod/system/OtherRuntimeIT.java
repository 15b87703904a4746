package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.bench.UnixChannel;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A daemon that supervises pods on a CRI runtime which is not its own: another daemon's, and Debian's containerd. What
/// it streams then comes from the URLs that those answer.
class OtherRuntimeIT extends MachineTest {
  private static final Duration PATIENCE = Patience.ofSeconds(60);

  private static int sandboxes(Path socket) throws InterruptedException {
    try (UnixChannel channel = new UnixChannel(socket)) {
      return RuntimeServiceGrpc.newBlockingStub(channel.channel())
          .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
          .getItemsCount();
    }
  }

  @Test
  void anotherDaemonRunsThePods() throws IOException, InterruptedException {
    try (Peapod runtime = new Peapod();
        Registry registry = new Registry(runtime.directory().resolve("registry"));
        Peapod peapod = new Peapod("--runtime-endpoint", "unix://" + runtime.socket())) {
      registry.push(Fixtures.busybox(), "busybox:1");
      String image = registry.reference("busybox:1");
      runtime.start();
      peapod.start();
      peapod.client("image", "pull", image).ok();
      everyVerb(peapod, runtime.socket(), "peapod", image);
    }
  }

  @Test
  void containerdRunsThePods() throws IOException, InterruptedException {
    assumeTrue(
        Containerd.isThere(), "no containerd: tests/fixtures/make tests/target/fixtures peers gets it");
    try (Containerd runtime = new Containerd();
        Peapod peapod = new Peapod("--runtime-endpoint", "unix://" + runtime.socket())) {
      peapod.start();
      try {
        everyVerb(peapod, runtime.socket(), "containerd", Fixtures.BUSYBOX);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("it failed; containerd's log:\n" + runtime.log(), e);
      }
      // runc makes the pods' levels in systemd's own hierarchy too, and leaves them there.
      Shell.run("sh", "-c", "cd /sys/fs/cgroup/systemd" + peapod.cgroup() + " && rmdir */ && cd .. && rmdir $OLDPWD");
    }
  }

  private static void everyVerb(Peapod peapod, Path runtime, String name, String image)
      throws IOException, InterruptedException {
    Path shared = Files.createDirectories(peapod.directory().resolve("shared"));
    peapod.apply(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: words}
        data: {greeting: hello}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: there, labels: {app: there}}
        spec:
          terminationGracePeriodSeconds: 2
          initContainers:
          - name: before
            image: %1$s
            command: [sh, -c, "echo made >/shared/init"]
            volumeMounts: [{name: shared, mountPath: /shared}]
          containers:
          - name: main
            image: %1$s
            command: [sh, -c, "mkdir /www; echo page >/www/index.html; echo begun $WORD; exec httpd -f -p 8000 -h /www"]
            env: [{name: WORD, valueFrom: {configMapKeyRef: {name: words, key: greeting}}}]
            volumeMounts: [{name: shared, mountPath: /shared}]
            readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
            livenessProbe: {exec: {command: [test, -e, /shared/init]}, periodSeconds: 1, failureThreshold: 1}
            lifecycle:
              postStart: {exec: {command: [sh, -c, "echo post >/shared/post"]}}
              preStop: {exec: {command: [sh, -c, "echo stop >/shared/stop"]}}
          - name: shell
            image: %1$s
            stdin: true
            command: [sh]
          volumes:
          - name: shared
            hostPath: {path: %2$s, type: Directory}
        """
            .formatted(image, shared));
    peapod.awaitReady("there");
    assertThat(sandboxes(runtime)).isEqualTo(1);
    assertThat(sandboxes(peapod.socket())).isZero();
    assertThat(
            peapod.client("get", "pod", "there", "-o", "jsonpath={.status.containerStatuses[*].containerID}").ok())
        .matches(name + "://[0-9a-f]+ " + name + "://[0-9a-f]+");
    assertThat(shared.resolve("post")).hasContent("post\n");
    assertThat(peapod.client("logs", "there", "-c", "main").ok()).isEqualTo("begun hello\n");
    assertThat(peapod.client("describe", "pod", "there").ok()).contains("Started", "main");
    assertThat(peapod.client("get", "pods", "-o", "wide").ok()).containsPattern("there +2/2 +Running");

    Shell.Result result =
        peapod.clientWith(
            "there and back", "exec", "-i", "there", "-c", "main", "--", "sh", "-c", "cat; exit 7");
    assertThat(result.out()).isEqualTo("there and back");
    assertThat(result.exit()).isEqualTo(7);
    String client = Fixtures.HOME.resolve("target/peapod/bin/peapod").toString();
    assertThat(
            Shell.run(
                    Map.of("PEAPOD_SOCKET", peapod.socket().toString()),
                    "",
                    List.of("script", "-qec", client + " exec -it there -c main -- tty", "/dev/null"))
                .out())
        .contains("/dev/pts/");
    // The input stays open for a while: at its end containerd ends the output too.
    assertThat(
            Shell.run(
                    Map.of("PEAPOD_SOCKET", peapod.socket().toString()),
                    "",
                    List.of(
                        "sh",
                        "-c",
                        "(echo 'echo typed'; sleep 3) | timeout 5 " + client + " attach -i there -c shell"))
                .out())
        .isEqualTo("typed\n");
    Path file = Files.writeString(peapod.directory().resolve("file"), "copied");
    peapod.client("cp", file.toString(), "there:/tmp/file", "-c", "main").ok();
    Path back = peapod.directory().resolve("back");
    peapod.client("cp", "there:/tmp/file", back.toString(), "-c", "main").ok();
    assertThat(back).hasContent("copied");
    assertThat(page(peapod)).isEqualTo("page\n");
    assertThat(peapod.client("top", "pod", "there").ok()).containsPattern("there +[0-9]+m");

    // Another image for the processes of a container, where the runtime is asked for them.
    peapod.client("debug", "there", "--image", image, "--target", "main", "-c", "look", "--", "ps").ok();
    await().atMost(PATIENCE).until(() -> peapod.client("logs", "there", "-c", "look").out().contains("httpd"));

    int restarts = peapod.pod("there").orElseThrow().getRestarts();
    peapod.client("restart", "there", "-c", "main").ok();
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("there").orElseThrow().getRestarts() == restarts + 1);
    assertThat(shared.resolve("stop")).hasContent("stop\n");
    assertThat(peapod.client("logs", "there", "-c", "main", "--previous").ok())
        .isEqualTo("begun hello\n");
    // The probe of a running container that fails.
    Files.delete(shared.resolve("init"));
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("there").orElseThrow().getRestarts() > restarts + 1);
    Files.writeString(shared.resolve("init"), "again");
    peapod.awaitReady("there");

    // Another daemon takes the pod over as it is.
    int last = peapod.pod("there").orElseThrow().getRestarts();
    peapod.kill();
    peapod.start();
    peapod.awaitReady("there");
    assertThat(peapod.pod("there").orElseThrow().getRestarts()).isEqualTo(last);

    peapod.delete("there");
    assertThat(sandboxes(runtime)).isZero();
  }

  private static String page(Peapod peapod) throws IOException {
    Follower forward =
        new Follower(peapod, "Forwarding from 127.0.0.1:", "port-forward", "there", ":8000");
    try {
      String port = forward.line().replaceFirst(" -> 8000", "");
      return Shell.run(
              "curl", "-s", "--noproxy", "*", "--max-time", "20", "http://127.0.0.1:" + port + "/")
          .out();
    } finally {
      forward.end();
    }
  }
}
