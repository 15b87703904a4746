package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ExplainRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "explain",
    description = "Shows what a manifest's field holds, and whether it is supported.")
final class Explain implements Callable<Integer> {
  @ParentCommand private Root root = new Root();

  @Parameters(paramLabel = "PATH", description = "Such as pod.spec.containers.livenessProbe.")
  private String path = "";

  @Override
  public Integer call() {
    try (Daemon daemon = new Daemon(root)) {
      System.out.print(
          daemon.pods().explain(ExplainRequest.newBuilder().setPath(path).build()).getText());
      System.out.flush();
    }
    return 0;
  }
}
