package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.Pod;
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
    List<String> names = Names.of(words);
    try (Daemon daemon = new Daemon(root)) {
      if (names.isEmpty()) {
        daemon
            .pods()
            .list(
                ListPodsRequest.newBuilder()
                    .setSelector(PodSelector.newBuilder().setNamespace(in.namespace))
                    .setView(PodView.POD_VIEW_DESCRIPTION)
                    .build())
            .getPodsList()
            .forEach(Describe::print);
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
                        .build()));
      }
    }
    return 0;
  }

  private static void print(Pod pod) {
    System.out.print(pod.getText());
    System.out.println();
  }
}
