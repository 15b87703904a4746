package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodSignalRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "signal",
    description = "Sends a signal to the main process of a container.",
    footer = {"", "peapod signal web -c nginx HUP"})
final class Signal implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private RunningContainers in = new RunningContainers();

  @Parameters(index = "1", paramLabel = "SIGNAL", description = "Such as HUP, SIGUSR1 or 15.")
  private String signal = "";

  @Override
  public Integer call() {
    String name = in.pod.name();
    try (Daemon daemon = new Daemon(root)) {
      daemon
          .pods()
          .signal(
              PodSignalRequest.newBuilder()
                  .setNamespace(in.pod.namespace())
                  .setName(name)
                  .setContainer(in.container)
                  .setSignal(signal)
                  .build())
          .getContainersList()
          .forEach(
              c -> System.out.println("container \"" + c + "\" of pod " + name + " signalled"));
      System.out.flush();
    }
    return 0;
  }
}
