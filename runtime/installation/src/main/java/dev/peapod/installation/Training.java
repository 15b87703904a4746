package dev.peapod.installation;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Makes the ahead-of-time caches by really running daemon and client, as root in namespaces of their own. Where that can
/// not be done the programs start slower, and the build says so.
final class Training {
  private static final long PATIENCE_SECONDS = 60;

  private final Path home;
  private final Path work;
  private final Stamp stamp;

  Training(Path home, Path work, Stamp stamp) {
    this.home = home;
    this.work = work;
    this.stamp = stamp;
  }

  void run() throws IOException, InterruptedException {
    String madeFrom = madeFrom();
    if (stamp.matches("training", madeFrom)) {
      return;
    }
    stamp.clear("training");
    for (Program program : Program.values()) {
      Files.deleteIfExists(cache(program));
    }
    try {
      if (root()) {
        everything();
      } else {
        help(Program.DAEMON);
        help(Program.CLIENT);
      }
    } catch (IOException e) {
      Installer.say("no ahead-of-time caches, the programs will start slower: " + e.getMessage());
    }
    for (Program program : Program.values()) {
      if (Files.exists(cache(program))) {
        Installer.say(
            "%s is %d MB".formatted(program.cache(), Files.size(cache(program)) / 1_000_000));
      } else {
        Installer.say("there is no " + program.cache() + ": " + program.command() + " starts slower");
      }
    }
    if (Files.exists(cache(Program.DAEMON)) && Files.exists(cache(Program.CLIENT))) {
      stamp.set("training", madeFrom);
    }
  }

  /// A daemon that is called by clients and ends by SIGTERM.
  private void everything() throws IOException, InterruptedException {
    Path places = Files.createTempDirectory("peapod-training");
    try {
      Path socket = places.resolve("state/peapod.sock");
      Process daemon =
          start(
              Program.DAEMON,
              "daemon",
              true,
              List.of(
                  "--root", places.resolve("root").toString(),
                  "--state", places.resolve("state").toString(),
                  "--log-root", places.resolve("logs").toString(),
                  "--cni-conf-dir", places.resolve("cni").toString(),
                  "--config", Files.writeString(places.resolve("config.yaml"), "").toString(),
                  "--bridge", "peatraining",
                  "--pod-cidr", "198.18.0.0/24",
                  "--cgroup-parent", "/" + places.getFileName()));
      try {
        awaitSocket(daemon, socket);
        List<List<String>> calls =
            List.of(
                List.of("version"),
                List.of("get", "pods"),
                List.of("image", "ls"),
                // The last one is what the client's cache is made of.
                List.of("get", "pods"));
        for (int i = 0; i < calls.size(); i++) {
          List<String> call = new ArrayList<>(List.of("--socket", socket.toString()));
          call.addAll(calls.get(i));
          Process client = start(Program.CLIENT, "client" + i, i == calls.size() - 1, call);
          finish(Program.CLIENT, client, "client" + i);
        }
      } finally {
        daemon.destroy();
        finish(Program.DAEMON, daemon, "daemon");
      }
    } finally {
      Trees.delete(places);
    }
  }

  private void help(Program program) throws IOException, InterruptedException {
    Installer.say("not root: " + program.command() + " is trained with its help alone");
    finish(program, start(program, program.command(), true, List.of("--help")), program.command());
  }

  private Process start(Program program, String name, boolean record, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(home.resolve("bin").resolve(program.command()).toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log(name).toFile());
    String options = program == Program.DAEMON ? "PEAPODD_JAVA_OPTIONS" : "PEAPOD_JAVA_OPTIONS";
    builder.environment().remove(options);
    if (record) {
      builder.environment().put(options, "-XX:AOTCacheOutput=" + cache(program));
    }
    return builder.start();
  }

  /// Waits for the end. What was recorded of a run that failed is of no use.
  private void finish(Program program, Process process, String name)
      throws IOException, InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      Installer.say("training: " + name + " did not end: " + said(name));
      Files.deleteIfExists(cache(program));
    } else if (process.exitValue() != 0) {
      Installer.say(
          "training: %s ended with %d: %s".formatted(name, process.exitValue(), said(name)));
      Files.deleteIfExists(cache(program));
    }
  }

  private void awaitSocket(Process daemon, Path socket) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (System.nanoTime() < end && daemon.isAlive()) {
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(socket));
        return;
      } catch (IOException e) {
        Thread.sleep(20);
      }
    }
    throw new IOException("the daemon does not answer: " + said("daemon"));
  }

  private String said(String name) throws IOException {
    return Files.readAllLines(log(name)).stream()
        .filter(line -> !line.contains("AOT") && !line.startsWith("Picked up "))
        .limit(20)
        .collect(Collectors.joining("\n"));
  }

  private Path log(String name) throws IOException {
    return Files.createDirectories(work.resolve("training")).resolve(name + ".log");
  }

  private Path cache(Program program) {
    return home.resolve("lib").resolve(program.cache());
  }

  /// Jars with their times, scripts and the JVM: what the caches are checked against when they are used.
  private String madeFrom() throws IOException {
    StringBuilder text = new StringBuilder(Runtime.version() + "\n");
    try (var files = Files.list(home.resolve("lib"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jar")).sorted().toList()) {
        text.append(file.getFileName())
            .append(' ')
            .append(Files.getLastModifiedTime(file).toMillis())
            .append('\n');
      }
    }
    for (Program program : Program.values()) {
      text.append(Files.readString(home.resolve("bin").resolve(program.command())));
    }
    return text.append(root()).toString();
  }

  private static boolean root() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }
}
