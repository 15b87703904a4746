package dev.peapod.installation;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Makes the ahead-of-time caches by really running daemon, client and pods, as root in a network of their own. Where that can
/// not be done the programs start slower, and the build says so.
final class Training {
  private static final long PATIENCE_SECONDS = 60;

  // The first pods show which classes are needed, the further ones which code is hot.
  private static final int ROUNDS = 2;

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

  /// A daemon that runs pods for clients and ends by SIGTERM. Its network is one of its own, which ends with it.
  private void everything() throws IOException, InterruptedException {
    Path places = Files.createTempDirectory("peapod-training");
    Path socket = places.resolve("state/peapod.sock");
    boolean alone = status(List.of("unshare", "--net", "--mount", "true")) == 0;
    if (!alone) {
      Installer.say("training without pods: this machine gives no network of its own");
    }
    List<String> command = new ArrayList<>();
    if (alone) {
      // With a loopback interface, as every machine has one.
      command.addAll(
          List.of(
              "unshare",
              "--net",
              "--mount",
              "sh",
              "-c",
              "ip link set lo up; exec \"$@\"",
              "training"));
    }
    command.addAll(
        List.of(
            program(Program.DAEMON),
            "--root=" + places.resolve("root"),
            "--state=" + places.resolve("state"),
            "--log-root=" + places.resolve("logs"),
            "--cni-conf-dir=" + places.resolve("cni"),
            "--config=" + Files.writeString(places.resolve("config.yaml"), ""),
            "--bridge=peatraining",
            "--pod-cidr=198.18.0.0/24",
            "--cgroup-parent=/" + places.getFileName()));
    Process daemon = start(Program.DAEMON, "daemon", true, command);
    try {
      awaitSocket(daemon, socket);
      client(socket, "version");
      if (alone) {
        pods(places, socket);
      } else {
        client(socket, "get", "pods");
        recordClient(socket);
      }
    } finally {
      daemon.destroy();
      finish(Program.DAEMON, daemon, "daemon");
      killLeft(places.getFileName().toString());
      Trees.delete(places);
    }
  }

  private void pods(Path places, Path socket) throws IOException, InterruptedException {
    Path image = TrainingPods.image(home.resolve("libexec/peapod/pause"), places);
    String manifest = TrainingPods.manifest(places).toString();
    client(socket, "image", "load", "-i", image.toString());
    client(socket, "image", "ls");
    for (int round = 0; round < ROUNDS; round++) {
      if (!client(socket, "apply", "-f", manifest)) {
        break;
      }
      awaitRunning(socket);
      if (round == 0) {
        client(socket, "describe", "pod", TrainingPods.NAMES.getFirst());
        client(socket, "logs", TrainingPods.NAMES.getFirst());
        recordClient(socket);
      }
      client(socket, "delete", "-f", manifest);
    }
    client(socket, "image", "rm", TrainingPods.IMAGE);
  }

  private void awaitRunning(Path socket) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (System.nanoTime() < end && client(socket, "get", "pods")) {
      long running =
          Files.readAllLines(log("client")).stream().filter(l -> l.contains("Running")).count();
      if (running == TrainingPods.NAMES.size()) {
        return;
      }
    }
    Installer.say("training: the pods do not run: " + said("client"));
  }

  private boolean client(Path socket, String... arguments)
      throws IOException, InterruptedException {
    return client(socket, false, arguments);
  }

  /// Makes the client's cache of the call that people make most.
  private void recordClient(Path socket) throws IOException, InterruptedException {
    client(socket, true, "get", "pods");
  }

  private boolean client(Path socket, boolean record, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(program(Program.CLIENT), "--socket", socket.toString()));
    command.addAll(List.of(arguments));
    return finish(
        Program.CLIENT, start(Program.CLIENT, "client", record, command), "client");
  }

  /// What a failed training may have left running: everything in the cgroup that is its own.
  private static void killLeft(String cgroup) throws IOException {
    try (var hierarchies = Files.newDirectoryStream(Path.of("/sys/fs/cgroup"))) {
      for (Path hierarchy : hierarchies) {
        Path left = hierarchy.resolve(cgroup);
        if (!Files.isDirectory(left)) {
          continue;
        }
        try (Stream<Path> files = Files.walk(left)) {
          for (Path file :
              files.filter(f -> f.getFileName().toString().equals("cgroup.procs")).toList()) {
            for (String process : Files.readAllLines(file)) {
              Installer.say("training: ending process " + process + " that it left");
              ProcessHandle.of(Long.parseLong(process)).ifPresent(ProcessHandle::destroyForcibly);
            }
          }
        }
      }
    } catch (NoSuchFileException e) {
      // No cgroups here, or one that went while we looked.
    }
  }

  private void help(Program program) throws IOException, InterruptedException {
    Installer.say("not root: " + program.command() + " is trained with its help alone");
    finish(
        program,
        start(program, program.command(), true, List.of(program(program), "--help")),
        program.command());
  }

  private Process start(Program program, String name, boolean record, List<String> command)
      throws IOException {
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
  private boolean finish(Program program, Process process, String name)
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
    return process.exitValue() == 0;
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

  private static int status(List<String> command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  private String program(Program program) {
    return home.resolve("bin").resolve(program.command()).toString();
  }

  private Path cache(Program program) {
    return home.resolve("lib").resolve(program.cache());
  }

  /// The run-time image with its time, and the scripts: what the caches are checked against when they are used.
  private String madeFrom() throws IOException {
    StringBuilder text = new StringBuilder(Runtime.version() + "\n");
    text.append(Files.getLastModifiedTime(home.resolve("runtime/lib/modules")).toMillis());
    for (Program program : Program.values()) {
      text.append(Files.readString(home.resolve("bin").resolve(program.command())));
    }
    return text.append(root()).toString();
  }

  private static boolean root() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }
}
