package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Two containers, one pod: what they share, and how they are reached.
class PodNetworkIT extends SystemTest {
  /// A front on port 80 that asks a back end which listens on the pod's 127.0.0.1 only.
  private static String frontAndBack(String name, int hostPort) {
    return Manifests.pod(
        name,
        "",
        Manifests.container(
            "front",
            "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho \"Content-Type: text/plain\"\\necho\\n"
                + "echo \"front $(hostname)\"\\nexec wget -q -O - http://127.0.0.1:1313/\\n' >/www/cgi-bin/x; "
                + "chmod 755 /www/cgi-bin/x; exec httpd -f -p 80 -h /www",
            """
            ports:
              - containerPort: 80
                hostPort: %d
            """
                .formatted(hostPort)),
        Manifests.container(
            "back",
            "mkdir /www; echo 'hello from the back' >/www/index.html; exec httpd -f -p 127.0.0.1:1313 -h /www",
            ""));
  }

  private static String fetch(String host, int port) throws IOException, InterruptedException {
    try (HttpClient client =
        HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
      URI uri = URI.create("http://%s:%d/cgi-bin/x".formatted(host, port));
      return client
          .send(
              HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(),
              BodyHandlers.ofString())
          .body();
    }
  }

  @Test
  void aHostPortIsReachedFromEverywhere() throws Exception {
    int port = Registry.freePort();
    peapod.apply(frontAndBack("web", port));
    PodSummary pod = peapod.awaitReady("web");
    String expected = "front web\nhello from the back\n";
    await()
        .atMost(Duration.ofSeconds(20))
        .ignoreExceptions()
        .until(() -> fetch("127.0.0.1", port).equals(expected));
    assertThat(fetch("[::1]", port)).as("over IPv6 loopback").isEqualTo(expected);
    assertThat(fetch(pod.getIps(0), 80)).as("at the pod's address").isEqualTo(expected);
    assertThat(pod.getIpsList()).allMatch(ip -> ip.startsWith("10.234." + peapod.number() + "."));

    String outside = "peatns" + peapod.number();
    String link = "peatv" + peapod.number();
    String host = "10.234." + (100 + peapod.number()) + ".1";
    String guest = "10.234." + (100 + peapod.number()) + ".2";
    try {
      Shell.run("ip", "netns", "add", outside).ok();
      Shell.run("ip", "link", "add", link, "type", "veth", "peer", "name", "out", "netns", outside)
          .ok();
      Shell.run("ip", "address", "add", host + "/30", "dev", link).ok();
      Shell.run("ip", "link", "set", link, "up").ok();
      Shell.run("ip", "-n", outside, "address", "add", guest + "/30", "dev", "out").ok();
      Shell.run("ip", "-n", outside, "link", "set", "out", "up").ok();
      assertThat(fetch(host, port)).as("at the host's own address").isEqualTo(expected);
      assertThat(
              Shell.run(
                      "ip", "netns", "exec", outside, "curl", "-sS", "--noproxy", "*", "--max-time",
                      "10", "http://%s:%d/cgi-bin/x".formatted(host, port))
                  .ok())
          .as("from another machine, as it were")
          .isEqualTo(expected);
    } finally {
      Shell.run("ip", "netns", "delete", outside);
      Shell.run("ip", "link", "delete", link);
    }
    peapod.delete("web");
  }

  @Test
  void aPodReachesItsOwnHostPort() {
    int port = Registry.freePort();
    peapod.apply(frontAndBack("self", port));
    peapod.awaitReady("self");
    String gateway = "10.234." + peapod.number() + ".1";
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                Shell.run(
                        "nsenter", "-t", Integer.toString(pause().pid()), "-n", "curl", "-sS",
                        "--noproxy", "*", "--max-time", "5",
                        "http://%s:%d/cgi-bin/x".formatted(gateway, port))
                    .out()
                    .equals("front self\nhello from the back\n"));
    peapod.delete("self");
  }

  private PodProcesses.Found pause() {
    return PodProcesses.of(peapod).stream()
        .filter(PodProcesses.Found::isPause)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void containersShareWhatPauseMade() {
    peapod.apply(Manifests.pod("shared", "", Manifests.idle("one"), Manifests.idle("two")));
    peapod.awaitReady("shared");
    List<PodProcesses.Found> all = PodProcesses.of(peapod);
    List<PodProcesses.Found> containers = PodProcesses.await(peapod, "sleep 100000", 2);
    assertThat(all).as("pause and two containers").hasSize(3);
    assertThat(containers).hasSize(2);
    PodProcesses.Found pause = pause();
    for (String namespace : List.of("net", "ipc", "uts", "pid")) {
      assertThat(containers)
          .as(namespace)
          .allMatch(c -> c.namespace(namespace).equals(pause.namespace(namespace)));
      assertThat(pause.namespace(namespace))
          .as("not the host's: " + namespace)
          .isNotEqualTo(new PodProcesses.Found(1, "").namespace(namespace));
    }
    assertThat(
            List.of(
                containers.get(0).namespace("mnt"),
                containers.get(1).namespace("mnt"),
                pause.namespace("mnt")))
        .as("mount namespaces")
        .doesNotHaveDuplicates();
    peapod.delete("shared");
  }

  @Test
  void aManifestMayKeepProcessesApart() {
    peapod.apply(
        Manifests.pod(
            "apart", "shareProcessNamespace: false\n", Manifests.idle("one"), Manifests.idle("two")));
    peapod.awaitReady("apart");
    List<PodProcesses.Found> containers = PodProcesses.await(peapod, "sleep 100000", 2);
    assertThat(containers).hasSize(2);
    assertThat(containers.get(0).namespace("pid")).isNotEqualTo(containers.get(1).namespace("pid"));
    assertThat(containers.get(0).namespace("net")).isEqualTo(containers.get(1).namespace("net"));
    peapod.delete("apart");
  }

  @Test
  void theHostsLoopbackIsOutOfReach() throws IOException {
    peapod.apply(Manifests.sleeper("outsider"));
    peapod.awaitReady("outsider");
    String gateway = "10.234." + peapod.number() + ".1";
    try (ServerSocket service = new ServerSocket()) {
      service.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
      for (String address : List.of("127.0.0.1", gateway)) {
        Shell.Result result =
            Shell.run(
                "nsenter", "-t", Integer.toString(pause().pid()), "-n", "curl", "-sS", "--noproxy",
                "*", "--max-time", "3", "http://%s:%d/".formatted(address, service.getLocalPort()));
        assertThat(result.exit()).as("connecting to %s: %s", address, result.err()).isEqualTo(7);
      }
    }
    assertThat(
            Files.readString(
                Path.of("/proc/sys/net/ipv4/conf/" + peapod.bridge() + "/route_localnet")))
        .isEqualToIgnoringNewLines("0");
    peapod.delete("outsider");
  }

  @Test
  void aHostPortIsFreeAgainAfterItsPod() throws IOException {
    int port = Registry.freePort();
    for (int i = 0; i < 3; i++) {
      peapod.apply(frontAndBack("again", port));
      peapod.awaitReady("again");
      peapod.delete("again");
    }
    try (ServerSocket socket = new ServerSocket(port)) {
      assertThat(socket.isBound()).isTrue();
    }
  }
}
