package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.DaemonInfo;
import dev.peapod.proto.peapod.v1.DaemonInfoRequest;
import java.lang.module.ModuleDescriptor;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "version", description = "Shows the versions of peapod and peapodd.")
final class Version implements Callable<Integer> {
  @ParentCommand private Root root = new Root();

  @Option(names = "--client", description = "Of peapod alone.")
  private boolean client;

  @Override
  public Integer call() {
    System.out.println("peapod " + own());
    if (client) {
      return 0;
    }
    try (Daemon daemon = new Daemon(root)) {
      DaemonInfo info = daemon.daemon().info(DaemonInfoRequest.getDefaultInstance());
      System.out.println("peapodd " + info.getVersion() + " (pid " + info.getPid() + ")");
      System.out.println("runtime " + info.getRuntimeName() + " " + info.getRuntimeVersion());
      System.out.println(
          "root " + info.getRoot() + ", state " + info.getState() + ", logs " + info.getLogRoot());
    }
    return 0;
  }

  /// As the run-time image says; `development` outside of one.
  static String own() {
    ModuleDescriptor module = Version.class.getModule().getDescriptor();
    return module == null ? "development" : module.rawVersion().orElse("development");
  }

  static final class Provider implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"peapod " + own()};
    }
  }
}
