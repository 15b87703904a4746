package dev.peapod.installation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// An image and pods for the training, made from what the build has: the one program in the image is `pause`.
final class TrainingPods {
  static final String IMAGE = "peapod.dev/training:1";
  static final List<String> NAMES = List.of("one", "two", "three");

  private TrainingPods() {}

  /// Writes an archive as `docker save` does.
  static Path image(Path pause, Path directory) throws IOException, InterruptedException {
    Path root = Files.createDirectories(directory.resolve("rootfs"));
    Trees.copy(pause, root.resolve("pause"), "rwxr-xr-x");
    Path contents = Files.createDirectories(directory.resolve("image"));
    Path layer = contents.resolve("layer.tar");
    tar(layer, root);
    Files.writeString(
        contents.resolve("config.json"),
        """
        {"architecture":"%s","os":"linux","created":"2026-01-01T00:00:00Z",
         "config":{"Entrypoint":["/pause"],"Env":["PATH=/"]},
         "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}
        """
            .formatted(Platform.current().name(), sha256(layer)));
    Files.writeString(
        contents.resolve("manifest.json"),
        """
        [{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]
        """
            .formatted(IMAGE));
    Path archive = directory.resolve("image.tar");
    tar(archive, contents);
    return archive;
  }

  /// Writes a manifest of pods with two containers each.
  static Path manifest(Path directory) throws IOException {
    StringBuilder yaml = new StringBuilder();
    for (String name : NAMES) {
      yaml.append(
          """
          ---
          apiVersion: v1
          kind: Pod
          metadata:
            name: %s
            labels: {app: training}
          spec:
            terminationGracePeriodSeconds: 1
            containers:
            - name: first
              image: %s
              imagePullPolicy: Never
              env: [{name: A, value: b}]
              resources: {limits: {memory: 16Mi, cpu: 100m}}
              volumeMounts: [{name: scratch, mountPath: /scratch}]
            - name: second
              image: %s
              imagePullPolicy: Never
            volumes:
            - name: scratch
              emptyDir: {}
          """
              .formatted(name, IMAGE, IMAGE));
    }
    return Files.writeString(directory.resolve("pods.yaml"), yaml);
  }

  private static void tar(Path archive, Path directory) throws IOException, InterruptedException {
    Process tar =
        new ProcessBuilder(
                "tar",
                "--create",
                "--file=" + archive,
                "--sort=name",
                "--owner=0",
                "--group=0",
                "--directory=" + directory,
                ".")
            .inheritIO()
            .start();
    if (tar.waitFor() != 0) {
      throw new IOException("tar failed with " + tar.exitValue());
    }
  }

  private static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
