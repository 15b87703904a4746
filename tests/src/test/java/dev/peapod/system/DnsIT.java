package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Services and the names of pods, asked for by a pod.
class DnsIT extends SystemTest {
  private static final Pattern ADDRESS = Pattern.compile("Address: (10\\.234\\.[0-9.]+)(?!\\S)");

  private String gateway() {
    return "10.234." + peapod.number() + ".1";
  }

  private static String server(String name, String more) {
    return Manifests.pod(
            name,
            more,
            Manifests.container(
                "main",
                "touch /tmp/ready; exec sleep 100000",
                "readinessProbe: {exec: {command: [test, -e, /tmp/ready]}, periodSeconds: 1,"
                    + " failureThreshold: 1}"))
        .replaceFirst("metadata:\n", "metadata:\n  labels: {app: web}\n");
  }

  private static String service(String name, String spec) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {%s}\n"
        .formatted(name, spec);
  }

  private Shell.Result lookup(String... question) {
    List<String> command =
        new java.util.ArrayList<>(List.of("exec", "client", "--", "nslookup"));
    command.addAll(List.of(question));
    return peapod.client(command.toArray(String[]::new));
  }

  /// The addresses that a name has, without that of the server.
  private List<String> addresses(String name) {
    return ADDRESS
        .matcher(lookup("-type=a", name).out())
        .results()
        .map(found -> found.group(1))
        .filter(address -> !address.equals(gateway()))
        .sorted()
        .toList();
  }

  private String ip(String pod) {
    return peapod.pod(pod).orElseThrow().getIps(0);
  }

  @Test
  void podsFindServicesByTheirNames() {
    peapod.submit(Manifests.sleeper("client"));
    peapod.submit(server("one", "hostname: first\nsubdomain: web\n"));
    peapod.submit(server("two", ""));
    peapod.apply(
        service("web", "clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80}]"));
    for (String pod : List.of("client", "one", "two")) {
      peapod.awaitReady(pod);
    }
    assertThat(peapod.client("exec", "client", "--", "cat", "/etc/resolv.conf").ok())
        .contains("nameserver " + gateway() + "\n")
        .contains("search default.svc.cluster.local svc.cluster.local cluster.local")
        .contains("options ndots:5");
    List<String> both = List.of(ip("one"), ip("two")).stream().sorted().toList();
    assertThat(addresses("web.default.svc.cluster.local")).isEqualTo(both);
    assertThat(addresses("first.web.default.svc.cluster.local")).containsExactly(ip("one"));
    assertThat(lookup("-type=srv", "_http._tcp.web.default.svc.cluster.local").out())
        .contains("first.web.default.svc.cluster.local");
    assertThat(lookup(ip("one")).out()).contains("first.web.default.svc.cluster.local");
    assertThat(lookup("none.default.svc.cluster.local").out()).contains("NXDOMAIN");
    // The C library's own way, with the search list.
    assertThat(peapod.client("exec", "client", "--", "ping", "-c", "1", "first.web").ok())
        .contains(ip("one"));
    assertThat(peapod.client("exec", "one", "--", "cat", "/etc/hosts").ok())
        .contains(ip("one") + "\tfirst.web.default.svc.cluster.local\tfirst\n");

    // Who is not ready is not answered with, and is seen.
    peapod.client("exec", "two", "--", "rm", "/tmp/ready").ok();
    await()
        .atMost(Patience.ofSeconds(60))
        .until(() -> addresses("web.default.svc.cluster.local"), List.of(ip("one"))::equals);
    assertThat(peapod.client("describe", "svc", "web").ok())
        .contains("Endpoints:    " + ip("one") + ":80  (pod one)")
        .contains("Not Ready:    " + ip("two") + ":80  (pod two)");
    assertThat(peapod.client("get", "svc", "-o", "wide").ok())
        .containsPattern("web +ClusterIP +None +<none> +80/TCP +\\S+ +app=web");
    peapod.client("exec", "two", "--", "touch", "/tmp/ready").ok();
    await()
        .atMost(Patience.ofSeconds(60))
        .until(() -> addresses("web.default.svc.cluster.local"), both::equals);

    // A daemon that comes after another one knows the same.
    peapod.awaitReady("two");
    peapod.kill();
    peapod.start();
    await()
        .atMost(Patience.ofSeconds(60))
        .until(() -> lookup("-type=a", "web.default.svc.cluster.local").exit() == 0);
    assertThat(addresses("web.default.svc.cluster.local")).contains(ip("one"));
    peapod.client("delete", "svc", "web").ok();
    assertThat(addresses("web.default.svc.cluster.local")).isEmpty();
    for (String pod : List.of("client", "one", "two")) {
      peapod.withdraw(pod);
    }
  }

  @Test
  void aNameOfElsewhereAndAnAnswerByTcp() throws IOException {
    peapod.submit(Manifests.sleeper("client"));
    peapod.awaitReady("client");
    peapod.apply(service("own", "type: ExternalName, externalName: db.default.svc.cluster.local"));
    peapod.apply(
        service("db", "selector: {app: web}, publishNotReadyAddresses: true, ports: [{port: 5}]"));
    peapod.submit(server("one", ""));
    peapod.awaitReady("one");
    assertThat(addresses("own.default.svc.cluster.local")).containsExactly(ip("one"));
    try (Socket socket = new Socket(gateway(), 53)) {
      byte[] question = question("db", "default", "svc", "cluster", "local");
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeShort(question.length);
      out.write(question);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readUnsignedShort()];
      in.readFully(answer);
      // No error, and one answer, whose last four bytes are the address.
      assertThat(answer[3] & 0xf).isZero();
      assertThat(answer[7]).isEqualTo((byte) 1);
      int end = answer.length;
      assertThat(
              "%d.%d.%d.%d"
                  .formatted(
                      answer[end - 4] & 0xff,
                      answer[end - 3] & 0xff,
                      answer[end - 2] & 0xff,
                      answer[end - 1] & 0xff))
          .isEqualTo(ip("one"));
    }
    peapod.client("delete", "svc", "own", "db").ok();
    peapod.withdraw("client");
    peapod.withdraw("one");
  }

  private static byte[] question(String... labels) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    out.writeBytes(new byte[] {1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    for (String label : labels) {
      out.write(label.length());
      out.writeBytes(label.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }
    out.writeBytes(new byte[] {0, 0, 1, 0, 1});
    return out.toByteArray();
  }
}
