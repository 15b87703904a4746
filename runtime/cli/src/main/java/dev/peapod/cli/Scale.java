package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ScaleRequest;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "scale", description = "Changes how many pods a deployment is to have.")
final class Scale implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(
      arity = "1..*",
      paramLabel = "deployment/NAME",
      description = "deployment/NAME or replicaset/NAME.")
  private List<String> words = List.of();

  @Option(
      names = "--replicas",
      required = true,
      paramLabel = "NUMBER",
      description = "How many pods there are to be.")
  private int replicas;

  @Override
  public Integer call() {
    try (Daemon daemon = new Daemon(root)) {
      for (Names.Group group : Names.groups(words)) {
        if (group.names().isEmpty()) {
          throw new Failure("name a deployment, such as deployment/web", Main.USAGE);
        }
        for (String name : group.names()) {
          String kind =
              daemon
                  .pods()
                  .scale(
                      ScaleRequest.newBuilder()
                          .setKind(group.kind())
                          .setNamespace(in.namespace)
                          .setName(name)
                          .setReplicas(replicas)
                          .build())
                  .getKind();
          System.out.println(kind + "/" + name + " scaled");
          System.out.flush();
        }
      }
    }
    return 0;
  }
}
