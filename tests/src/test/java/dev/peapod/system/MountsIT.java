package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.MountPropagation;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What of the host and of other images is shown in containers.
class MountsIT extends KubeletTest {
  private Mount.Builder imageMount(String subPath) {
    return Mount.newBuilder()
        .setContainerPath("/image")
        .setReadonly(true)
        .setImage(ImageSpec.newBuilder().setImage(registry.reference("busybox:1")))
        .setImageSubPath(subPath);
  }

  private Mount.Builder hostMount(Path host, String target) {
    return Mount.newBuilder().setHostPath(host.toString()).setContainerPath(target);
  }

  @Test
  void anImageIsShownReadOnly() {
    PodSandboxConfig.Builder config = cri.sandbox("image");
    ContainerConfig.Builder container =
        cri.script(
                "main",
                "cat /image/etc/peapod-test; test -e /image/usr/bin/yes || echo no yes;"
                    + " touch /image/x 2>&1; /image/bin/echo runs; touch /bin/mine && echo own")
            .addMounts(imageMount(""));
    CriPods.Started pod = cri.start(config, container);
    cri.awaitExit(pod.container());
    assertThat(CriPods.texts(pod.log()))
        .containsExactly(
            "second layer", "no yes", "touch: /image/x: Read-only file system", "runs", "own");
    Mount shown = cri.status(pod.container()).getMounts(0);
    String id =
        peapod
            .criImages()
            .imageStatus(
                ImageStatusRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(registry.reference("busybox:1")))
                    .build())
            .getImage()
            .getId();
    assertThat(shown.getImage().getImageRef()).isEqualTo(id);
    assertThat(shown.getReadonly()).isTrue();
    cri.remove(pod.sandbox());
  }

  @Test
  void aPartOfAnImage() {
    assertThat(
            output(
                cri.sandbox("part"), cri.script("main", "ls /image").addMounts(imageMount("opt"))))
        .containsExactly("link");
    assertThat(
            output(
                cri.sandbox("part"),
                cri.script("main", "cat /image").addMounts(imageMount("opt/link"))))
        .containsExactly("second layer");
    refused(
        cri.sandbox("part"),
        cri.container("main", "true").addMounts(imageMount("no/such")),
        "/image",
        "no/such");
    refused(
        cri.sandbox("part"),
        cri.container("main", "true").addMounts(imageMount("../etc")),
        "image_sub_path");
    refused(
        cri.sandbox("part"),
        cri.container("main", "true").addMounts(imageMount("").setReadonly(false)),
        "readonly");
    refused(
        cri.sandbox("part"),
        cri.container("main", "true").addMounts(imageMount("").setHostPath("/tmp")),
        "host_path");
    refused(
        cri.sandbox("part"),
        cri.container("main", "true")
            .addMounts(hostMount(Path.of("/tmp"), "/x").setImageSubPath("x")),
        "image_sub_path");
  }

  /// A link in the image leads to the image's own files, not to the host's.
  @Test
  void aLinkInAnImageStaysInIt() {
    Path archive =
        HostileImage.make(
            peapod.directory().resolve("links"),
            "{}",
            "ln -s /etc secrets; ln -s ../../../../../../../etc up; mkdir etc; echo image"
                + " >etc/mine");
    String image = pull(archive, "links:1");
    for (String link : new String[] {"secrets", "up"}) {
      Mount.Builder mount = imageMount(link).setImage(ImageSpec.newBuilder().setImage(image));
      assertThat(
              output(cri.sandbox("links"), cri.script("main", "cat /image/mine").addMounts(mount)))
          .containsExactly("image");
    }
  }

  @Test
  void directoriesFilesAndLinksOfTheHost() throws IOException {
    Path host = Files.createDirectories(peapod.directory().resolve("host"));
    Files.writeString(host.resolve("file"), "content\n");
    Files.createSymbolicLink(host.resolve("link"), Path.of("file"));
    Path directory = Files.createSymbolicLink(peapod.directory().resolve("host-link"), host);
    assertThat(
            output(
                cri.sandbox("binds"),
                cri.script(
                        "main", "ls /d; cat /new/f /l; echo more >>/new/f; touch /r/x 2>&1 || true")
                    .addMounts(hostMount(directory, "/d").setSelinuxRelabel(true))
                    .addMounts(hostMount(host.resolve("file"), "/new/f"))
                    .addMounts(hostMount(host.resolve("link"), "/l").setReadonly(true))
                    .addMounts(hostMount(host, "/r").setReadonly(true))))
        .containsExactly(
            "file", "link", "content", "content", "touch: /r/x: Read-only file system");
    assertThat(Files.readString(host.resolve("file"))).isEqualTo("content\nmore\n");
  }

  @Test
  void readOnlyWithAndWithoutWhatIsMountedBelow() throws IOException {
    Path host = peapod.directory().resolve("ro");
    Files.createDirectories(host.resolve("below"));
    Shell.run("mount", "-t", "tmpfs", "none", host.resolve("below").toString()).ok();
    try {
      String write = "touch /m/x 2>&1 || true; touch /m/below/x 2>&1 && echo written || true";
      Mount.Builder readonly = hostMount(host, "/m").setReadonly(true);
      assertThat(output(cri.sandbox("ro"), cri.script("main", write).addMounts(readonly.clone())))
          .containsExactly("touch: /m/x: Read-only file system", "written");
      assertThat(
              output(
                  cri.sandbox("ro"),
                  cri.script("main", write).addMounts(readonly.clone().setRecursiveReadOnly(true))))
          .containsExactly(
              "touch: /m/x: Read-only file system", "touch: /m/below/x: Read-only file system");
    } finally {
      Shell.run("umount", host.resolve("below").toString()).ok();
    }
    Mount.Builder recursive = hostMount(host, "/m").setRecursiveReadOnly(true);
    refused(
        cri.sandbox("ro"),
        cri.container("main", "true").addMounts(recursive.clone()),
        "recursive_read_only",
        "readonly");
    for (MountPropagation propagation :
        new MountPropagation[] {
          MountPropagation.PROPAGATION_HOST_TO_CONTAINER, MountPropagation.PROPAGATION_BIDIRECTIONAL
        }) {
      refused(
          cri.sandbox("ro"),
          cri.container("main", "true")
              .addMounts(recursive.clone().setReadonly(true).setPropagation(propagation)),
          "recursive_read_only",
          "propagation");
    }
  }

  @Test
  void laterMountsOfTheHostAreSeenWhereAskedFor() throws IOException {
    Path host = Files.createDirectories(peapod.directory().resolve("later"));
    Files.createDirectories(host.resolve("below"));
    Shell.run("mount", "--bind", host.toString(), host.toString()).ok();
    Shell.run("mount", "--make-shared", host.toString()).ok();
    try {
      PodSandboxConfig.Builder config = cri.sandbox("later");
      CriPods.Started pod =
          cri.start(
              config,
              cri.container("main", "sleep", "100110")
                  .addMounts(
                      hostMount(host, "/slave")
                          .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER))
                  .addMounts(hostMount(host, "/private")));
      Shell.run("mount", "-t", "tmpfs", "none", host.resolve("below").toString()).ok();
      Files.writeString(host.resolve("below/seen"), "");
      assertThat(exec(pod.container(), "ls /slave/below /private/below"))
          .isEqualTo("/private/below:\n\n/slave/below:\nseen");
      cri.remove(pod.sandbox());
    } finally {
      Shell.run("umount", "-R", host.toString()).ok();
    }
  }

  @Test
  void thePodsFilesAreReadOnlyWhereTheRootIs() {
    ContainerConfig.Builder container =
        cri.script(
            "main", "for f in hosts hostname resolv.conf; do echo x >>/etc/$f; done 2>&1; true");
    assertThat(output(cri.sandbox("writable"), container.clone())).isEmpty();
    container.getLinuxBuilder().getSecurityContextBuilder().setReadonlyRootfs(true);
    assertThat(output(cri.sandbox("readonly"), container))
        .hasSize(3)
        .allMatch(line -> line.contains("Read-only file system"));
  }
}
