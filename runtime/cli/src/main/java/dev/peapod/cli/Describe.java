package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodView;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "describe", description = "Shows pods at length, with what happened to them.")
final class Describe implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(
      arity = "1..*",
      paramLabel = "pod NAME",
      description = "pod NAME or pod/NAME; pods for all.")
  private List<String> words = List.of();

  @Override
  public Integer call() {
    try (Daemon daemon = new Daemon(root)) {
      for (Names.Group group : Names.groups(words)) {
        if (group.isOfPods()) {
          pods(daemon, group.names());
        } else {
          new Documents(daemon, in.namespace, "")
              .list(group, PodView.POD_VIEW_DESCRIPTION)
              .getObjectsList()
              .forEach(object -> print(object.getText()));
        }
      }
    }
    return 0;
  }

  private void pods(Daemon daemon, List<String> names) {
    if (names.isEmpty()) {
      daemon
          .pods()
          .list(
              ListPodsRequest.newBuilder()
                  .setSelector(PodSelector.newBuilder().setNamespace(in.namespace))
                  .setView(PodView.POD_VIEW_DESCRIPTION)
                  .build())
          .getPodsList()
          .forEach(pod -> print(pod.getText()));
    }
    for (String name : names) {
      print(
          daemon
              .pods()
              .get(
                  GetPodRequest.newBuilder()
                      .setNamespace(in.namespace)
                      .setName(name)
                      .setView(PodView.POD_VIEW_DESCRIPTION)
                      .build())
              .getText());
    }
  }

  private static void print(String text) {
    System.out.print(text);
    System.out.println();
  }
}
