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
  void optionsHoldForAMountAndWhatIsBelowIt() throws IOException {
    Path host = Files.createDirectories(peapod.directory().resolve("options"));
    Files.createDirectories(host.resolve("below"));
    Files.writeString(host.resolve("program"), "#!/bin/sh\necho ran\n");
    Shell.run("chmod", "755", host.resolve("program").toString()).ok();
    Shell.run("mount", "-t", "tmpfs", "none", host.resolve("below").toString()).ok();
    try {
      Shell.run("cp", "-p", host + "/program", host + "/below/program").ok();
      String execute = "/m/program 2>&1; /m/below/program 2>&1; true";
      assertThat(
              output(
                  cri.sandbox("options"),
                  cri.script("main", execute + "; grep -c noatime /proc/mounts")
                      .addMounts(
                          hostMount(host, "/m").addMountOptions("noexec").addMountOptions("noatime"))))
          .containsExactly(
              "sh: /m/program: Permission denied", "sh: /m/below/program: Permission denied", "2");
      assertThat(
              output(
                  cri.sandbox("options"), cri.script("main", execute).addMounts(hostMount(host, "/m"))))
          .containsExactly("ran", "ran");
    } finally {
      Shell.run("umount", host.resolve("below").toString()).ok();
    }
    assertThat(
            output(
                cri.sandbox("options"),
                cri.script("main", "/image/bin/true 2>&1; true")
                    .addMounts(imageMount("").addMountOptions("noexec"))))
        .containsExactly("sh: /image/bin/true: Permission denied");
    for (String option : new String[] {"exec", "ro", "size=1m", ""}) {
      refused(
          cri.sandbox("options"),
          cri.container("main", "true").addMounts(hostMount(host, "/m").addMountOptions(option)),
          "mounts[0].mount_options",
          "\"" + option + "\"");
    }
  }

  @Test
  void laterMountsOfTheHostAreSeenWhereAskedFor() throws IOException {
    Path host = mounted("later", "--make-shared");
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

  /// A directory that is a mount of its own, with a directory `below` in it.
  private Path mounted(String name, String propagation) throws IOException {
    Path host = Files.createDirectories(peapod.directory().resolve(name));
    Files.createDirectories(host.resolve("below"));
    Shell.run("mount", "--bind", host.toString(), host.toString()).ok();
    Shell.run("mount", propagation, host.toString()).ok();
    return host;
  }

  private ContainerConfig.Builder privileged(ContainerConfig.Builder container) {
    container.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    return container;
  }

  private PodSandboxConfig.Builder privilegedSandbox(String name) {
    PodSandboxConfig.Builder config = cri.sandbox(name);
    config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    return config;
  }

  @Test
  void mountsPassBothWaysWhereAskedFor() throws IOException {
    Path host = mounted("both", "--make-shared");
    try {
      Mount.Builder both =
          hostMount(host, "/both").setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL);
      Mount.Builder slave =
          hostMount(host, "/slave").setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER);
      CriPods.Started pod =
          cri.start(
              privilegedSandbox("both"),
              privileged(cri.container("main", "sleep", "100111")).addMounts(both).addMounts(slave));
      assertThat(
              exec(
                  pod.container(),
                  "mkdir /slave/kept && mount -t tmpfs none /slave/kept && touch /slave/kept/x;"
                      + " mkdir /both/made && mount -t tmpfs none /both/made && touch /both/made/seen;"
                      + " ls /slave/made"))
          .isEqualTo("seen");
      assertThat(host.resolve("made/seen")).exists();
      assertThat(host.resolve("kept/x")).doesNotExist();
      Shell.run("mount", "-t", "tmpfs", "none", host.resolve("below").toString()).ok();
      Files.writeString(host.resolve("below/later"), "");
      assertThat(exec(pod.container(), "ls /both/below /slave/below"))
          .isEqualTo("/both/below:\nlater\n\n/slave/below:\nlater");
      assertThat(exec(pod.container(), "umount /both/made && ls /slave/made")).isEmpty();
      assertThat(host.resolve("made/seen")).doesNotExist();
      cri.remove(pod.sandbox());
      assertThat(host.resolve("below/later")).as("what the host mounted stays").exists();
    } finally {
      Shell.run("umount", "-R", host.toString()).ok();
    }
  }

  @Test
  void nothingPassesThroughAPrivateMountSoItIsRefused() throws IOException {
    Path host = mounted("unshared", "--make-private");
    try {
      for (MountPropagation propagation :
          new MountPropagation[] {
            MountPropagation.PROPAGATION_HOST_TO_CONTAINER, MountPropagation.PROPAGATION_BIDIRECTIONAL
          }) {
        refused(
            privilegedSandbox("unshared"),
            privileged(cri.container("main", "true"))
                .addMounts(hostMount(host.resolve("below"), "/m").setPropagation(propagation)),
            "mounts[0].propagation",
            propagation.name(),
            "shared",
            "\"" + host + "\"");
      }
      Shell.run("mount", "--make-shared", host.toString()).ok();
      refused(
          cri.sandbox("unprivileged"),
          cri.container("main", "true")
              .addMounts(
                  hostMount(host, "/m")
                      .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL)),
          "privileged container");
      Shell.run("mount", "--make-slave", host.toString()).ok();
    } finally {
      Shell.run("umount", host.toString()).ok();
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
