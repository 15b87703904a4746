package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;

/// The requests of a call that streams both ways, taken one by one: the next is let in when the one
/// before is done with, so that a quick caller costs no memory. Made before the rpc method returns.
final class Requests<T> implements StreamObserver<T> {
  private final ServerCallStreamObserver<?> call;
  private final BlockingQueue<Optional<T>> queue = new LinkedBlockingQueue<>();
  private final Runnable begun;
  private boolean any;
  private boolean taking;
  private boolean over;

  /// @param begun told at the first request, or when the caller has sent none
  Requests(StreamObserver<?> answer, Runnable begun) {
    this.call = (ServerCallStreamObserver<?>) answer;
    this.begun = begun;
    call.disableAutoRequest();
    call.request(1);
  }

  @Override
  public void onNext(T request) {
    queue.add(Optional.of(request));
    begin();
  }

  @Override
  public void onError(Throwable cause) {
    queue.add(Optional.empty());
  }

  @Override
  public void onCompleted() {
    queue.add(Optional.empty());
    begin();
  }

  private void begin() {
    if (!any) {
      any = true;
      begun.run();
    }
  }

  /// Waits for the first request.
  ///
  /// @param isStart whether a request says what is asked for
  /// @throws PeapodException INVALID if the first one does not
  T takeStart(Predicate<T> isStart) throws InterruptedException {
    return take()
        .filter(isStart)
        .orElseThrow(() -> PeapodException.invalid("the first request must be the start"));
  }

  /// Waits for the next request; nothing is the end of them. For one thread at a time.
  Optional<T> take() throws InterruptedException {
    if (over) {
      return Optional.empty();
    }
    if (taking) {
      call.request(1);
    }
    taking = true;
    Optional<T> next = queue.take();
    over = next.isEmpty();
    return next;
  }
}
