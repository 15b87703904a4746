package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.PodView;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "generate", description = "Writes a manifest that makes the like of a pod.")
final class Generate implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(arity = "1..*", paramLabel = "POD", description = "NAME... or pod/NAME...")
  private List<String> words = List.of();

  @Override
  public Integer call() {
    List<String> pods = Names.pods(words);
    if (pods.isEmpty()) {
      throw new Failure("name a pod", Main.USAGE);
    }
    try (Daemon daemon = new Daemon(root)) {
      String between = "";
      for (String pod : pods) {
        String text =
            daemon
                .pods()
                .get(
                    GetPodRequest.newBuilder()
                        .setNamespace(in.namespace)
                        .setName(pod)
                        .setView(PodView.POD_VIEW_MANIFEST)
                        .build())
                .getText();
        System.out.print(between + text);
        between = "---\n";
      }
      System.out.flush();
    }
    return 0;
  }
}
