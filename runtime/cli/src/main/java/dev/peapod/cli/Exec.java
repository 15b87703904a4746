package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodExecStart;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "exec",
    description = "Runs a command in a container; its exit code becomes that of peapod.",
    footer =
        "The output comes when the command has ended; input and a terminal are not supported yet.")
final class Exec implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "-- COMMAND")
  private List<String> command = List.of();

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      description = "Which container (default: the pod's first).")
  private @Nullable String container;

  @Option(
      names = {"-i", "--stdin"},
      description = "Pass the input on (not supported yet).")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "With a terminal (not supported yet).")
  private boolean tty;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description = "Kill the command after that time.")
  private @Nullable String timeout;

  @Override
  public Integer call() throws InterruptedException {
    PodExecStart start =
        PodExecStart.newBuilder()
            .setNamespace(in.namespace)
            .setName(Names.one(pod))
            .setContainer(container == null ? "" : container)
            .addAllCommand(command)
            .setStdin(stdin)
            .setTty(tty)
            .setTimeoutSeconds(
                timeout == null ? 0 : Math.max(1, Texts.duration(timeout, "--timeout").toSeconds()))
            .build();
    try (Daemon daemon = new Daemon(root)) {
      CompletableFuture<Integer> code = new CompletableFuture<>();
      StreamObserver<PodExecRequest> requests = daemon.podsAsync().exec(new Output(code));
      requests.onNext(PodExecRequest.newBuilder().setStart(start).build());
      requests.onCompleted();
      return code.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException status) {
        throw status;
      }
      throw new Failure(String.valueOf(e.getCause()));
    }
  }

  private static final class Output implements StreamObserver<PodExecResponse> {
    private final CompletableFuture<Integer> code;

    Output(CompletableFuture<Integer> code) {
      this.code = code;
    }

    @Override
    public void onNext(PodExecResponse response) {
      try {
        switch (response.getResponseCase()) {
          case STDOUT -> {
            response.getStdout().writeTo(System.out);
            System.out.flush();
          }
          case STDERR -> {
            response.getStderr().writeTo(System.err);
            System.err.flush();
          }
          case EXIT_CODE -> code.complete(response.getExitCode());
          case RESPONSE_NOT_SET -> {}
        }
      } catch (IOException e) {
        code.completeExceptionally(e);
      }
    }

    @Override
    public void onError(Throwable cause) {
      code.completeExceptionally(cause);
    }

    @Override
    public void onCompleted() {
      code.completeExceptionally(
          Status.INTERNAL
              .withDescription("peapodd ended the call without an exit code")
              .asRuntimeException());
    }
  }
}
