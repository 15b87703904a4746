package dev.peapod.cri;

import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Function;

/// Receives an archive in pieces and hands it as one stream to a loader on a thread of its own.
///
/// The client is asked for the next piece only once the loader has taken the last, so that memory stays bounded.
final class ArchiveReceiver implements StreamObserver<ImageLoadRequest> {
  private static final int PIECES_AHEAD = 4;
  private static final byte[] END = new byte[0];

  private final ServerCallStreamObserver<ImageLoadResponse> client;
  private final BlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(PIECES_AHEAD + 2);
  private final Thread loader;

  ArchiveReceiver(
      ServerCallStreamObserver<ImageLoadResponse> client,
      Function<InputStream, ImageLoadResponse> load) {
    this.client = client;
    client.disableAutoRequest();
    this.loader = Thread.ofVirtual().name("image-load").unstarted(() -> run(load));
    client.setOnCancelHandler(loader::interrupt);
    loader.start();
    client.request(PIECES_AHEAD);
  }

  private void run(Function<InputStream, ImageLoadResponse> load) {
    try {
      Answers.send(client, load.apply(new Pieces()));
    } catch (RuntimeException e) {
      if (!client.isCancelled()) {
        client.onError(
            ErrorInterceptor.statusOf("peapod.v1.Images/Load", e).asRuntimeException());
      }
    }
  }

  @Override
  public void onNext(ImageLoadRequest piece) {
    if (!piece.getChunk().isEmpty()) {
      offer(piece.getChunk().toByteArray());
    } else {
      client.request(1);
    }
  }

  @Override
  public void onError(Throwable cause) {
    loader.interrupt();
  }

  @Override
  public void onCompleted() {
    offer(END);
  }

  /// Never full: no more pieces are asked for than fit, and one place is left for the end.
  private void offer(byte[] piece) {
    if (!pieces.offer(piece)) {
      throw Status.INTERNAL.withDescription("more pieces than asked for").asRuntimeException();
    }
  }

  private final class Pieces extends InputStream {
    private byte[] piece = END;
    private int position;
    private boolean ended;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (position == piece.length && !next()) {
        return -1;
      }
      int count = Math.min(length, piece.length - position);
      System.arraycopy(piece, position, target, offset, count);
      position += count;
      return count;
    }

    private boolean next() throws IOException {
      if (ended) {
        return false;
      }
      try {
        piece = pieces.take();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw (IOException) new InterruptedIOException("the client went away").initCause(e);
      }
      position = 0;
      ended = piece.length == 0;
      if (!ended) {
        client.request(1);
      }
      return !ended;
    }
  }
}
