package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.Cascade;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsResponse;
import dev.peapod.proto.peapod.v1.DeletedObject;
import dev.peapod.proto.peapod.v1.DeletedPod;
import dev.peapod.proto.peapod.v1.PodSelector;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "delete", description = "Stops pods and removes them.")
final class Delete implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(arity = "0..*", paramLabel = "pod NAME", description = "pod NAME... or pod/NAME...")
  private List<String> words = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Delete what a manifest names; as for apply.")
  private List<String> files = List.of();

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "LABELS",
      description = "Delete the pods with these labels.")
  private @Nullable String selector;

  @Option(names = "--all", description = "Delete all pods of the namespace.")
  private boolean all;

  @Option(
      names = "--grace-period",
      paramLabel = "SECONDS",
      description = "Seconds between the stop signal and the kill (default: as the pod says).")
  private @Nullable Long grace;

  @Option(names = "--now", description = "The same as --grace-period=1.")
  private boolean now;

  @Option(
      names = "--wait",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Return when the pods are gone (default); --no-wait: at once.")
  private boolean wait = true;

  @Option(
      names = "--cascade",
      paramLabel = "HOW",
      defaultValue = "background",
      description =
          "What becomes of a workload's pods: background (they go after it), foreground (they go"
              + " before it) or orphan (they stay); default: background.")
  private String cascade = "background";

  @Option(names = "--ignore-not-found", description = "Deleting what is not there is no failure.")
  private boolean ignoreNotFound;

  @Override
  public Integer call() {
    List<Names.Group> groups = Names.groups(words);
    List<String> names =
        groups.stream().filter(Names.Group::isOfPods).flatMap(g -> g.names().stream()).toList();
    List<Names.Group> documents = groups.stream().filter(g -> !g.isOfPods()).toList();
    boolean many = selector != null || all;
    if (documents.stream().anyMatch(g -> g.names().isEmpty()) && !many) {
      throw new Failure("name what is to be deleted, or use -l or --all", Main.USAGE);
    }
    if (names.isEmpty() && documents.isEmpty() && files.isEmpty() && !many) {
      throw new Failure("name pods, or use -f, -l or --all", Main.USAGE);
    }
    if (!names.isEmpty() && many) {
      throw new Failure("name pods or use -l or --all, not both", Main.USAGE);
    }
    try (Daemon daemon = new Daemon(root)) {
      int code = 0;
      if (!files.isEmpty()) {
        DeletePodsRequest request =
            request().addAllManifests(ManifestFiles.read(files)).setNamespace(in.namespace).build();
        code = print(daemon.pods().delete(request));
      }
      for (String name : names) {
        try {
          print(daemon.pods().delete(request().setSelector(selector(name)).build()));
        } catch (StatusRuntimeException e) {
          if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
            throw e;
          }
          if (!ignoreNotFound) {
            Main.complain(String.valueOf(e.getStatus().getDescription()));
            code = Main.FAILED;
          }
        }
      }
      for (Names.Group group : documents) {
        String labels = selector == null ? "" : selector;
        code |= new Documents(daemon, in.namespace, labels).delete(group, how(), ignoreNotFound);
      }
      if (many && documents.isEmpty()) {
        DeletePodsResponse response =
            daemon.pods().delete(request().setSelector(selector("")).build());
        print(response);
        if (response.getPodsCount() == 0) {
          System.err.println("No pods found.");
        }
      }
      return code;
    }
  }

  private Cascade cascade() {
    return switch (cascade) {
      case "background" -> Cascade.CASCADE_BACKGROUND;
      case "foreground" -> Cascade.CASCADE_FOREGROUND;
      case "orphan" -> Cascade.CASCADE_ORPHAN;
      default ->
          throw new Failure(
              "invalid cascade value ("
                  + cascade
                  + "). Must be \"background\", \"foreground\", or \"orphan\"",
              Main.USAGE);
    };
  }

  private PodSelector selector(String name) {
    return PodSelector.newBuilder()
        .setNamespace(in.namespace)
        .setName(name)
        .setLabels(selector == null ? "" : selector)
        .build();
  }

  private DeletePodsRequest.Builder request() {
    DeletePodsRequest.Builder request =
        DeletePodsRequest.newBuilder().setWait(wait).setCascade(cascade());
    if (grace != null) {
      request.setGracePeriodSeconds(grace);
    } else if (now) {
      request.setGracePeriodSeconds(1);
    }
    return request;
  }

  private DeleteObjectsRequest how() {
    DeletePodsRequest request = request().build();
    DeleteObjectsRequest.Builder how =
        DeleteObjectsRequest.newBuilder().setWait(wait).setCascade(request.getCascade());
    if (request.hasGracePeriodSeconds()) {
      how.setGracePeriodSeconds(request.getGracePeriodSeconds());
    }
    return how.build();
  }

  private int print(DeletePodsResponse response) {
    int code = 0;
    for (DeletedPod pod : response.getPodsList()) {
      if (pod.getExisted()) {
        System.out.println("pod \"" + pod.getName() + "\" deleted");
      } else if (!ignoreNotFound) {
        Main.complain(
            "pods \"" + pod.getName() + "\" not found in namespace \"" + pod.getNamespace() + "\"");
        code = Main.FAILED;
      }
    }
    for (DeletedObject object : response.getObjectsList()) {
      if (object.getExisted()) {
        System.out.println(Documents.deleted(object));
      } else if (!ignoreNotFound) {
        Main.complain(object.getKind() + " \"" + object.getName() + "\" not found");
        code = Main.FAILED;
      }
    }
    System.out.flush();
    return code;
  }
}
