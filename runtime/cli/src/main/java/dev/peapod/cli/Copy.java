package dev.peapod.cli;

import dev.peapod.linux.Directory;
import dev.peapod.proto.peapod.v1.PodExecStart;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "cp",
    description = "Copies files and trees between this machine and a container, which must have tar.",
    footer = {
      "",
      "peapod cp ./site web:/srv/       into the container, as /srv/site",
      "peapod cp web:/var/log ./logs    out of it; nothing is written outside of ./logs"
    })
final class Copy implements Callable<Integer> {
  private static final int CHUNK = 32 << 10;

  /// @param pod empty: on this machine
  private record Place(String pod, String path) {
    boolean isHere() {
      return pod.isEmpty();
    }
  }

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "FROM", description = "PATH or POD:PATH.")
  private String from = "";

  @Parameters(index = "1", paramLabel = "TO", description = "PATH or POD:PATH.")
  private String to = "";

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      defaultValue = "",
      description = "Which container (default: the pod's first).")
  private String container = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    Place source = place(from);
    Place target = place(to);
    if (source.isHere() == target.isHere()) {
      throw new Failure("one of FROM and TO must be POD:PATH, and only one", Main.USAGE);
    }
    try (Daemon daemon = new Daemon(root)) {
      if (source.isHere()) {
        into(daemon, Path.of(source.path()), target);
      } else {
        outOf(daemon, source, Path.of(target.path()));
      }
    }
    return 0;
  }

  private static Place place(String word) {
    int colon = word.indexOf(':');
    if (colon < 0 || word.startsWith("/") || word.startsWith(".")) {
      return new Place("", word);
    }
    String path = word.substring(colon + 1);
    if (colon == 0 || path.isEmpty()) {
      throw new Failure("\"" + word + "\" is not POD:PATH", Main.USAGE);
    }
    return new Place(Names.one(word.substring(0, colon)), path);
  }

  // --- into a container

  private void into(Daemon daemon, Path source, Place target)
      throws IOException, InterruptedException {
    if (!Files.exists(source, LinkOption.NOFOLLOW_LINKS)) {
      throw new Failure("there is no file " + source);
    }
    String path = stripped(target.path());
    if (target.path().endsWith("/") || run(daemon, target.pod(), "test", "-d", path) == 0) {
      Path name = source.toAbsolutePath().normalize().getFileName();
      path = (path.equals("/") ? "" : path) + "/" + (name == null ? "root" : name);
    }
    RemoteCommand tar =
        start(daemon, target.pod(), true, List.of("tar", "-xf", "-", "-C", parent(path)));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    CompletableFuture<Integer> code =
        inBackground(() -> tar.run(OutputStream.nullOutputStream(), said));
    OutputStream input = new BufferedOutputStream(new Input(tar), CHUNK);
    try {
      TarSender.send(source, last(path), input);
      input.flush();
      tar.endInput();
    } catch (HungUp e) {
      // It says why, below.
    }
    finish(code, said);
  }

  /// The command takes no more.
  private static final class HungUp extends IOException {}

  private static final class Input extends OutputStream {
    private final RemoteCommand command;

    Input(RemoteCommand command) {
      this.command = command;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        byte[] part = java.util.Arrays.copyOfRange(bytes, offset, offset + length);
        if (!command.input(part, length)) {
          throw new HungUp();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(e);
      }
    }
  }

  // --- out of a container

  private void outOf(Daemon daemon, Place source, Path target)
      throws IOException, InterruptedException {
    String path = stripped(source.path());
    String sent = path.equals("/") ? "." : last(path);
    boolean inside = Files.isDirectory(target);
    Path absolute = target.toAbsolutePath().normalize();
    Path directory = inside ? absolute : absolute.getParent();
    String name =
        inside ? (sent.equals(".") ? "root" : sent) : String.valueOf(absolute.getFileName());
    if (directory == null || !Files.isDirectory(directory)) {
      throw new Failure("there is no directory " + directory);
    }
    if (sent.equals("..")) {
      throw new Failure("\"" + source.path() + "\" does not name what is to be copied", Main.USAGE);
    }
    RemoteCommand tar =
        start(daemon, source.pod(), false, List.of("tar", "-cf", "-", "-C", parent(path), sent));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int entries;
    CompletableFuture<Integer> code;
    try (PipedInputStream archive = new PipedInputStream(4 * CHUNK);
        Directory to = Directory.open(directory)) {
      PipedOutputStream pipe = new PipedOutputStream(archive);
      code =
          inBackground(
              () -> {
                try (pipe) {
                  return tar.run(pipe, said);
                }
              });
      entries = new TarReceiver(to, sent, name).receive(archive);
      archive.transferTo(OutputStream.nullOutputStream());
    }
    finish(code, said);
    if (entries == 0) {
      throw new Failure("the container sent nothing");
    }
  }

  // --- commands

  private interface Work {
    int run() throws IOException, InterruptedException;
  }

  private static CompletableFuture<Integer> inBackground(Work work) {
    CompletableFuture<Integer> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                result.complete(work.run());
              } catch (IOException | InterruptedException | RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  private static void finish(CompletableFuture<Integer> code, ByteArrayOutputStream said) {
    try {
      if (code.join() != 0) {
        String text = said.toString(StandardCharsets.UTF_8).strip();
        throw new Failure(text.isEmpty() ? "tar failed with exit code " + code.join() : text);
      }
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new Failure(String.valueOf(e.getCause()));
    }
  }

  private RemoteCommand start(Daemon daemon, String pod, boolean stdin, List<String> command)
      throws InterruptedException {
    PodExecStart start =
        PodExecStart.newBuilder()
            .setNamespace(in.namespace)
            .setName(pod)
            .setContainer(container)
            .addAllCommand(command)
            .setStdin(stdin)
            .build();
    return new RemoteCommand(daemon.podsAsync()::exec, start);
  }

  private int run(Daemon daemon, String pod, String... command)
      throws IOException, InterruptedException {
    return start(daemon, pod, false, List.of(command))
        .run(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
  }

  // --- paths in containers

  private static String stripped(String path) {
    String end = path;
    while (end.length() > 1 && end.endsWith("/")) {
      end = end.substring(0, end.length() - 1);
    }
    return end;
  }

  private static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "." : slash == 0 ? "/" : path.substring(0, slash);
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
