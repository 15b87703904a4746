package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// A daemon that supervises pods on a CRI runtime which is not its own: another daemon's.
class OtherRuntimeIT extends MachineTest {
  private static int sandboxes(Peapod peapod) {
    return peapod
        .cri()
        .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
        .getItemsCount();
  }

  @Test
  void runsPodsThere() throws IOException, InterruptedException {
    try (Peapod runtime = new Peapod();
        Registry registry = new Registry(runtime.directory().resolve("registry"));
        Peapod peapod = new Peapod("--runtime-endpoint", "unix://" + runtime.socket())) {
      registry.push(Fixtures.busybox(), "busybox:1");
      String image = registry.reference("busybox:1");
      runtime.start();
      peapod.start();
      peapod.client("image", "pull", image).ok();
      peapod.apply(
          Manifests.pod(
                  "there",
                  "",
                  Manifests.container(
                      "main",
                      "mkdir /www; echo page >/www/index.html; echo begun; exec httpd -f -p 8000 -h /www",
                      "readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}\n"))
              .replace(Fixtures.BUSYBOX, image));
      peapod.awaitReady("there");
      assertThat(sandboxes(runtime)).isEqualTo(1);
      assertThat(sandboxes(peapod)).isZero();
      assertThat(peapod.client("logs", "there").ok()).isEqualTo("begun\n");
      Shell.Result result =
          peapod.clientWith("there and back", "exec", "-i", "there", "--", "sh", "-c", "cat; exit 7");
      assertThat(result.out()).isEqualTo("there and back");
      assertThat(result.exit()).isEqualTo(7);
      Follower forward =
          new Follower(peapod, "Forwarding from 127.0.0.1:", "port-forward", "there", ":8000");
      try {
        String port = forward.line().replaceFirst(" -> 8000", "");
        assertThat(
                Shell.run(
                        "curl", "-s", "--noproxy", "*", "--max-time", "20",
                        "http://127.0.0.1:" + port + "/")
                    .out())
            .isEqualTo("page\n");
      } finally {
        forward.end();
      }
      peapod.delete("there");
      assertThat(sandboxes(runtime)).isZero();
    }
  }
}
