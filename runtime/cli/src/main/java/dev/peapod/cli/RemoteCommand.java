package dev.peapod.cli;

import com.google.protobuf.ByteString;
import dev.peapod.linux.Terminal;
import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodExecStart;
import dev.peapod.proto.peapod.v1.TerminalSize;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.function.Consumer;

/// A command in a container, or its main process, with this client's streams.
final class RemoteCommand {
  private static final int CHUNK = 32 << 10;
  private static final long LOOK_MILLIS = 200;
  private static final int CTRL_P = 16;
  private static final int CTRL_Q = 17;

  private final Duplex<PodExecRequest, PodExecResponse> call = new Duplex<>();
  private volatile boolean left;

  /// @param rpc `exec` or `attach`
  RemoteCommand(Consumer<StreamObserver<PodExecResponse>> rpc, PodExecStart start)
      throws InterruptedException {
    rpc.accept(call);
    call.send(PodExecRequest.newBuilder().setStart(start).build());
  }

  /// Sends input; false if nobody takes it any more.
  boolean input(byte[] bytes, int count) throws InterruptedException {
    ByteString part = ByteString.copyFrom(bytes, 0, count);
    return call.send(PodExecRequest.newBuilder().setStdin(part).build());
  }

  /// Ends the input; the output goes on.
  void endInput() throws InterruptedException {
    call.send(PodExecRequest.newBuilder().setStdinClosed(true).build());
  }

  /// Passes output on until the command has ended.
  ///
  /// @return its exit code
  /// @throws IOException if the output can not be written
  int run(OutputStream out, OutputStream err) throws IOException, InterruptedException {
    while (true) {
      Optional<PodExecResponse> next = call.take();
      if (next.isEmpty() && left) {
        return 0;
      }
      if (next.isEmpty()) {
        throw Status.INTERNAL
            .withDescription("peapodd ended the call without an exit code")
            .asRuntimeException();
      }
      PodExecResponse response = next.get();
      switch (response.getResponseCase()) {
        case STDOUT -> pass(response.getStdout(), out);
        case STDERR -> pass(response.getStderr(), err);
        case EXIT_CODE -> {
          return response.getExitCode();
        }
        case RESPONSE_NOT_SET -> {}
      }
    }
  }

  private static void pass(ByteString bytes, OutputStream to) throws IOException {
    bytes.writeTo(to);
    to.flush();
    if (to instanceof java.io.PrintStream stream && stream.checkError()) {
      throw new IOException("the output can not be written");
    }
  }

  /// The same with this process's own streams.
  ///
  /// @param stdin whether input is passed on
  /// @param tty whether this client's terminal is the command's, with its size
  /// @param detachable whether Ctrl-P Ctrl-Q lets go of it
  int runHere(boolean stdin, boolean tty, boolean detachable)
      throws IOException, InterruptedException {
    if (!tty) {
      if (stdin) {
        inBackground(() -> passInput(false));
      }
      return run(System.out, System.err);
    }
    try (Terminal.RawMode raw = Terminal.raw(0)) {
      Thread restore = new Thread(raw::close);
      Runtime.getRuntime().addShutdownHook(restore);
      // Before anything is typed, so that the first thing the command does finds its place.
      Optional<Terminal.Size> size = Terminal.size(0);
      if (size.isPresent()) {
        tell(size.get());
      }
      inBackground(() -> passSizes(size));
      if (stdin) {
        inBackground(() -> passInput(detachable));
      }
      return run(System.out, System.err);
    }
  }

  /// Whether the user let go of the terminal, so that what ran in it still does.
  boolean isLeft() {
    return left;
  }

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private static void inBackground(Work work) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                work.run();
              } catch (IOException | InterruptedException e) {
                // The command's end tells what there is to tell.
              }
            });
  }

  private void passInput(boolean detachable) throws IOException, InterruptedException {
    byte[] buffer = new byte[CHUNK];
    InputStream in = System.in;
    boolean leaving = false;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      if (detachable && n == 1) {
        if (leaving && buffer[0] == CTRL_Q) {
          left = true;
          call.onCompleted();
          return;
        }
        leaving = buffer[0] == CTRL_P;
      }
      if (!input(buffer, n)) {
        return;
      }
    }
    endInput();
  }

  /// Tells the changes of the terminal's size.
  private void passSizes(Optional<Terminal.Size> first) throws InterruptedException {
    Optional<Terminal.Size> told = first;
    while (true) {
      Thread.sleep(LOOK_MILLIS);
      Optional<Terminal.Size> size = Terminal.size(0);
      if (size.isPresent() && !size.equals(told)) {
        if (!tell(size.get())) {
          return;
        }
        told = size;
      }
    }
  }

  private boolean tell(Terminal.Size size) throws InterruptedException {
    TerminalSize message =
        TerminalSize.newBuilder().setColumns(size.columns()).setRows(size.rows()).build();
    return call.send(PodExecRequest.newBuilder().setResize(message).build());
  }
}
