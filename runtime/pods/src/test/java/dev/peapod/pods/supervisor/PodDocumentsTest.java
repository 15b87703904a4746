package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Pods and the documents that they refer to.
@Timeout(120)
class PodDocumentsTest extends FleetCase {
  private static String map(String value) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {key: "
        + value
        + ", other: thing}\n";
  }

  private Map<String, String> environment() {
    return runtime.config("a").getEnvsList().stream()
        .collect(Collectors.toMap(e -> e.getKey(), e -> e.getValue().toStringUtf8()));
  }

  private Path source(String target) {
    ContainerConfig config = runtime.config("a");
    return config.getMountsList().stream()
        .filter(mount -> mount.getContainerPath().equals(target))
        .map(Mount::getHostPath)
        .map(Path::of)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aMissingConfigMapOfTheEnvironmentHealsWhenItComes() throws Exception {
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', envFrom: [{prefix: P_, configMapRef: {name: conf}}], env:"
                + " [{name: X, valueFrom: {configMapKeyRef: {name: conf, key: key}}}, {name: YY,"
                + " value: 'is $(X)'}, {name: Z, valueFrom: {configMapKeyRef: {name: none, key:"
                + " k, optional: true}}}]}"));
    awaitStatus("CreateContainerConfigError");
    assertThat(summary(WEB).getMessage()).contains("configmap \"conf\" not found");
    assertThat(pod(WEB).getStatus().getPhase()).isEqualTo("Pending");
    apply(map("value"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    assertThat(environment())
        .containsEntry("P_key", "value")
        .containsEntry("P_other", "thing")
        .containsEntry("X", "value")
        .containsEntry("YY", "is value")
        .doesNotContainKey("Z");
  }

  @Test
  void aMissingKeyIsToldOf() throws Exception {
    apply(map("value"));
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', env: [{name: X, valueFrom: {configMapKeyRef: {name: conf,"
                + " key: nokey}}}]}"));
    awaitStatus("CreateContainerConfigError");
    assertThat(summary(WEB).getMessage())
        .contains("couldn't find key nokey in ConfigMap default/conf");
  }

  @Test
  void volumesOfDocumentsChangeAllAtOnce() throws Exception {
    apply(
        manifest(
                "web",
                "Always",
                "{name: a, image: 'img:1', volumeMounts: [{name: v, mountPath: /v}]}")
            + "  volumes: [{name: v, configMap: {name: conf, defaultMode: 0440}}]\n");
    await().until(() -> happened("FailedMount"));
    assertThat(pod(WEB).getStatus().getPhase()).isEqualTo("Pending");
    apply(map("one"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    Path volume = source("/v");
    assertThat(volume.resolve("key")).hasContent("one");
    assertThat(Files.getPosixFilePermissions(volume.resolve("key"))).hasSize(2);
    assertThat(Files.isSymbolicLink(volume.resolve("..data"))).isTrue();
    assertThat(Files.isSymbolicLink(volume.resolve("key"))).isTrue();
    Path before = volume.resolve("..data").toRealPath();
    assertThat(apply(map("two"))).isEqualTo(Fleet.Result.CONFIGURED);
    await().until(() -> Files.readString(volume.resolve("key")).equals("two"));
    await().until(() -> !Files.exists(before, LinkOption.NOFOLLOW_LINKS));
    // A key that goes takes its name along.
    apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {key: three}\n");
    await().until(() -> !Files.exists(volume.resolve("other"), LinkOption.NOFOLLOW_LINKS));
    assertThat(volume.resolve("key")).hasContent("three");
  }

  @Test
  void claimsOutlivePodsAndAreGuarded() throws Exception {
    ObjectKey key = new ObjectKey(ObjectKind.CLAIM, "default", "data");
    apply(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes:"
            + " [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n");
    String pod =
        manifest(
                "web",
                "Always",
                "{name: a, image: 'img:1', volumeMounts: [{name: v, mountPath: /v}]}")
            + "  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]\n";
    apply(pod);
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    Files.writeString(source("/v").resolve("kept"), "yes");
    assertThatThrownBy(() -> fleet.deleteObject(key))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("is used by pod default/web");
    fleet.delete(WEB, Optional.empty());
    fleet.awaitGone(WEB);
    apply(pod);
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    Path directory = source("/v");
    assertThat(directory.resolve("kept")).hasContent("yes");
    fleet.delete(WEB, Optional.empty());
    fleet.awaitGone(WEB);
    assertThat(fleet.deleteObject(key)).isTrue();
    assertThat(directory).doesNotExist();
  }

  @Test
  void documentsOutliveTheDaemon() throws Exception {
    apply(map("value"));
    apply("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n");
    fleet.close();
    startFleet();
    assertThat(fleet.objects().configMap("default", "conf").orElseThrow().getData())
        .containsEntry("key", "value");
    assertThat(fleet.objects().secret("default", "s").orElseThrow().getData())
        .containsEntry("a", "Yg==");
    assertThat(apply(map("value"))).isEqualTo(Fleet.Result.UNCHANGED);
  }

  @Test
  void whatIsImmutableStaysSo() throws Exception {
    apply(map("value") + "immutable: true\n");
    assertThatThrownBy(() -> apply(map("other") + "immutable: true\n"))
        .hasMessageContaining("field is immutable when `immutable` is set");
  }

  @Test
  void aVolumeThatHoldsTooMuchEndsThePod() throws IOException, InterruptedException {
    apply(
        manifest(
                "web",
                "Always",
                "{name: a, image: 'img:1', volumeMounts: [{name: v, mountPath: /v}]}")
            + "  volumes: [{name: v, emptyDir: {sizeLimit: 1Ki}}]\n");
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    Files.write(source("/v").resolve("big"), new byte[2000]);
    await().until(() -> pod(WEB).getStatus().getPhase().equals("Failed"));
    assertThat(pod(WEB).getStatus().getReason()).isEqualTo("Evicted");
    assertThat(pod(WEB).getStatus().getMessage())
        .isEqualTo("Usage of EmptyDir volume \"v\" exceeds the limit \"1Ki\". ");
  }
}
