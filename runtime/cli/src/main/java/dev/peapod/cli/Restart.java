package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.RestartRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

@Command(name = "restart", description = "Ends running containers of a pod and starts them again.")
final class Restart implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private RunningContainers in = new RunningContainers();

  @Override
  public Integer call() {
    String name = in.pod.name();
    try (Daemon daemon = new Daemon(root)) {
      daemon
          .pods()
          .restart(
              RestartRequest.newBuilder()
                  .setNamespace(in.pod.namespace())
                  .setName(name)
                  .setContainer(in.container)
                  .build())
          .getContainersList()
          .forEach(c -> System.out.println("container \"" + c + "\" of pod " + name + " restarts"));
      System.out.flush();
    }
    return 0;
  }
}
