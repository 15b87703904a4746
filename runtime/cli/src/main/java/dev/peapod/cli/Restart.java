package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.RestartRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "restart", description = "Ends running containers of a pod and starts them again.")
final class Restart implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      defaultValue = "",
      description = "Which container (default: all that run).")
  private String container = "";

  @Override
  public Integer call() {
    String name = Names.one(pod);
    try (Daemon daemon = new Daemon(root)) {
      daemon
          .pods()
          .restart(
              RestartRequest.newBuilder()
                  .setNamespace(in.namespace)
                  .setName(name)
                  .setContainer(container)
                  .build())
          .getContainersList()
          .forEach(c -> System.out.println("container \"" + c + "\" of pod " + name + " restarts"));
      System.out.flush();
    }
    return 0;
  }
}
