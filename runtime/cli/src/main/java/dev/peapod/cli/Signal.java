package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodSignalRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "signal",
    description = "Sends a signal to the main process of a container.",
    footer = {"", "peapod signal web -c nginx HUP"})
final class Signal implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Parameters(index = "1", paramLabel = "SIGNAL", description = "Such as HUP, SIGUSR1 or 15.")
  private String signal = "";

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
          .signal(
              PodSignalRequest.newBuilder()
                  .setNamespace(in.namespace)
                  .setName(name)
                  .setContainer(container)
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
