package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.AppliedObject;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.ApplyResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "apply", description = "Makes the pods and other objects of manifests.")
final class Apply implements Callable<Integer> {
  private static final Set<String> ROLLED_OUT = Set.of("Deployment", "DaemonSet");

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Option(
      names = {"-f", "--filename"},
      required = true,
      paramLabel = "FILE",
      description =
          "A manifest, a directory of them, or - for the standard input; may be repeated.")
  private List<String> files = List.of();

  @Option(names = "--replace", description = "Delete a pod whose spec differs, and make it anew.")
  private boolean replace;

  @Option(names = "--dry-run", description = "Check the manifests and say what would be done.")
  private boolean dryRun;

  @Option(
      names = "--wait",
      description =
          "Return when pods are ready and deployments and daemonsets rolled out; fail when one can"
              + " not start.")
  private boolean wait;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "5m",
      description = "How long --wait waits (default: 5m).")
  private String timeout = "5m";

  @Override
  public Integer call() throws InterruptedException {
    Duration patience = Texts.duration(timeout, "--timeout");
    ApplyRequest request =
        ApplyRequest.newBuilder()
            .addAllManifests(ManifestFiles.read(files))
            .setNamespace(in.namespace)
            .setReplace(replace)
            .setDryRun(dryRun)
            .build();
    try (Daemon daemon = new Daemon(root)) {
      ApplyResponse response = daemon.pods().apply(request);
      for (AppliedObject object : response.getObjectsList()) {
        object
            .getWarningsList()
            .forEach(warning -> System.err.println("peapod: warning: " + warning));
        System.out.println(
            object.getKind().toLowerCase(Locale.ROOT)
                + "/"
                + object.getName()
                + " "
                + object.getResult().name().toLowerCase(Locale.ROOT)
                + (dryRun ? " (dry run)" : ""));
      }
      System.out.flush();
      if (wait && !dryRun) {
        List<AppliedObject> pods =
            response.getObjectsList().stream().filter(o -> o.getKind().equals("Pod")).toList();
        long deadline = System.nanoTime() + patience.toNanos();
        int code = Waiting.untilReady(daemon, pods, patience);
        for (AppliedObject object : response.getObjectsList()) {
          if (ROLLED_OUT.contains(object.getKind())) {
            Rollouts.follow(
                daemon,
                object.getNamespace(),
                object.getKind().toLowerCase(Locale.ROOT),
                object.getName(),
                Duration.ofNanos(deadline - System.nanoTime()),
                true);
          }
        }
        return code;
      }
    }
    return 0;
  }
}
