package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.ListImagesRequest;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.RemoveImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Images from a real registry and from archives.
@SuppressWarnings("NullAway.Init")
class ImagesIT extends SystemTest {
  private Registry registry;
  private String digest;

  @BeforeAll
  void fillARegistry() throws IOException {
    registry = new Registry(peapod.directory().resolve("registry"));
    digest = registry.push(Fixtures.busybox(), "team/busybox:1");
  }

  @AfterAll
  void stopTheRegistry() throws InterruptedException {
    registry.close();
  }

  @Test
  void pulledByTagAndRun() {
    String image = registry.reference("team/busybox:1");
    assertThat(peapod.client("image", "pull", image).ok()).contains("sha256:");
    assertThat(peapod.client("image", "ls").ok()).contains("team/busybox").contains("1");
    runOnce(image);
    peapod.client("image", "rm", image).ok();
    assertThat(peapod.client("image", "ls").ok()).doesNotContain("team/busybox");
  }

  @Test
  void pulledByDigest() {
    String image = registry.reference("team/busybox@" + digest);
    peapod.client("image", "pull", image).ok();
    runOnce(image);
    peapod.client("image", "rm", image).ok();
  }

  @Test
  void pulledBecauseAPodNeedsIt() {
    String image = registry.reference("team/busybox:1");
    runOnce(image);
    peapod.client("image", "rm", image).ok();
  }

  /// What the second layer changed is what the container sees.
  private void runOnce(String image) {
    String manifest =
        Manifests.pod(
                "once",
                "restartPolicy: Never\n",
                Manifests.container(
                    "main", "cat /opt/link; test -e /bin/yes || echo no yes; echo $PATH", ""))
            .replace(Fixtures.BUSYBOX, image);
    peapod.apply(manifest);
    org.awaitility.Awaitility.await()
        .atMost(java.time.Duration.ofSeconds(60))
        .until(() -> peapod.pod("once").orElseThrow().getPhase().equals("Succeeded"));
    assertThat(peapod.client("logs", "once").ok())
        .isEqualTo(
            "second layer\nno yes\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    peapod.delete("once");
  }

  @Test
  void loadedFromDockerSave(@org.junit.jupiter.api.io.TempDir Path directory) {
    loaded("docker-archive:" + directory.resolve("docker.tar") + ":localhost/load/docker:1", "localhost/load/docker:1");
  }

  @Test
  void loadedFromAnOciLayout(@org.junit.jupiter.api.io.TempDir Path directory) {
    loaded("oci-archive:" + directory.resolve("oci.tar") + ":localhost/load/oci:1", "localhost/load/oci:1");
  }

  private void loaded(String target, String name) {
    Shell.run(
            "skopeo", "--insecure-policy", "copy", "-q", "--additional-tag", name,
            "docker-archive:" + Fixtures.busybox(), target)
        .ok();
    String file = target.split(":", 3)[1];
    assertThat(peapod.client("image", "load", "-i", file).ok()).contains(name);
    runOnce(name);
    peapod.client("image", "rm", name).ok();
  }

  @Test
  void whatOneOwnerRemovesTheOtherKeeps() {
    String image = registry.reference("team/busybox:1");
    ImageSpec spec = ImageSpec.newBuilder().setImage(image).build();
    peapod.criImages().pullImage(PullImageRequest.newBuilder().setImage(spec).build());
    assertThat(peapod.client("image", "ls").ok()).doesNotContain("team/busybox");
    peapod.client("image", "pull", image).ok();
    peapod.client("image", "rm", image).ok();
    ImageStatusRequest status = ImageStatusRequest.newBuilder().setImage(spec).build();
    assertThat(peapod.criImages().imageStatus(status).hasImage()).isTrue();
    for (int i = 0; i < 2; i++) {
      peapod.criImages().removeImage(RemoveImageRequest.newBuilder().setImage(spec).build());
    }
    assertThat(peapod.criImages().imageStatus(status).hasImage()).isFalse();
    assertThat(
            peapod.criImages().listImages(ListImagesRequest.getDefaultInstance()).getImagesCount())
        .isZero();
  }
}
