package dev.peapod.cli;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.ImageInfo;
import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "load",
    description = "Loads the images of an archive: docker save or OCI layout, tar or tar.gz.")
final class ImageLoad implements Callable<Integer> {
  private static final int CHUNK = 256 << 10;

  @ParentCommand private ImageVerbs parent = new ImageVerbs();

  @Parameters(
      arity = "0..1",
      paramLabel = "ARCHIVE",
      description = "The archive, or - for the standard input.")
  private @Nullable String archive;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "ARCHIVE",
      description = "The same.")
  private @Nullable String input;

  @Override
  public Integer call() throws InterruptedException {
    String name = input != null ? input : archive;
    if (name == null) {
      if (Screen.inIsTerminal()) {
        throw new Failure("name an archive, or pass one on the standard input", Main.USAGE);
      }
      name = "-";
    }
    try (Daemon daemon = new Daemon(parent.root);
        InputStream in = name.equals("-") ? System.in : Files.newInputStream(Path.of(name))) {
      ImageLoadResponse response = send(daemon, in);
      for (ImageInfo image : response.getImagesList()) {
        String shown =
            image.getTagsCount() > 0 ? String.join(", ", image.getTagsList()) : image.getId();
        System.out.println("Loaded " + shown);
      }
    } catch (NoSuchFileException e) {
      throw new Failure("there is no file " + name);
    } catch (IOException e) {
      throw new Failure("can not read " + name + ": " + e.getMessage());
    }
    return 0;
  }

  /// Sends no quicker than the daemon takes it.
  private static ImageLoadResponse send(Daemon daemon, InputStream in)
      throws IOException, InterruptedException {
    Answer answer = new Answer();
    var requests = (ClientCallStreamObserver<ImageLoadRequest>) daemon.imagesAsync().load(answer);
    byte[] buffer = new byte[CHUNK];
    while (!answer.response.isDone()) {
      int n = in.readNBytes(buffer, 0, CHUNK);
      if (n == 0) {
        requests.onCompleted();
        break;
      }
      while (!requests.isReady() && !answer.response.isDone()) {
        if (answer.ready.tryAcquire(100, TimeUnit.MILLISECONDS)) {
          answer.ready.drainPermits();
        }
      }
      if (!answer.response.isDone()) {
        requests.onNext(
            ImageLoadRequest.newBuilder().setChunk(ByteString.copyFrom(buffer, 0, n)).build());
      }
    }
    try {
      return answer.response.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException status) {
        throw status;
      }
      throw new Failure(String.valueOf(e.getCause()));
    }
  }

  private static final class Answer
      implements ClientResponseObserver<ImageLoadRequest, ImageLoadResponse> {
    final CompletableFuture<ImageLoadResponse> response = new CompletableFuture<>();
    final Semaphore ready = new Semaphore(0);

    @Override
    public void beforeStart(ClientCallStreamObserver<ImageLoadRequest> requests) {
      requests.setOnReadyHandler(ready::release);
    }

    @Override
    public void onNext(ImageLoadResponse value) {
      response.complete(value);
    }

    @Override
    public void onError(Throwable cause) {
      response.completeExceptionally(cause);
    }

    @Override
    public void onCompleted() {
      response.completeExceptionally(new IOException("peapodd ended the call without an answer"));
    }
  }
}
