package dev.peapod.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A call that streams both ways, for threads that block: what is sent waits until there is room,
/// and the next answer is let in when the one before was taken. One thread takes, any may send.
final class Duplex<Q, R> implements ClientResponseObserver<Q, R> {
  private sealed interface Incoming<R> {}

  private record Answer<R>(R message) implements Incoming<R> {}

  private record End<R>(Optional<StatusRuntimeException> failure) implements Incoming<R> {}

  private final BlockingQueue<Incoming<R>> incoming = new LinkedBlockingQueue<>();
  private @Nullable ClientCallStreamObserver<Q> call;
  private boolean taking;
  private boolean over;

  @Override
  public void beforeStart(ClientCallStreamObserver<Q> requests) {
    call = requests;
    requests.disableAutoRequestWithInitial(1);
    requests.setOnReadyHandler(this::wake);
  }

  private ClientCallStreamObserver<Q> call() {
    if (call == null) {
      throw new IllegalStateException("the call has not been started");
    }
    return call;
  }

  private synchronized void wake() {
    notifyAll();
  }

  @Override
  public void onNext(R answer) {
    incoming.add(new Answer<>(answer));
  }

  @Override
  public void onError(Throwable cause) {
    end(new End<>(Optional.of(Status.fromThrowable(cause).asRuntimeException())));
  }

  @Override
  public void onCompleted() {
    end(new End<>(Optional.empty()));
  }

  private void end(End<R> end) {
    incoming.add(end);
    synchronized (this) {
      over = true;
      notifyAll();
    }
  }

  /// Waits for the next answer; nothing is the end of them.
  ///
  /// @throws StatusRuntimeException if the call has failed
  Optional<R> take() throws InterruptedException {
    if (taking) {
      call().request(1);
    }
    taking = true;
    return switch (incoming.take()) {
      case Answer<R>(R message) -> Optional.of(message);
      case End<R>(Optional<StatusRuntimeException> failure) -> {
        if (failure.isPresent()) {
          throw failure.get();
        }
        yield Optional.empty();
      }
    };
  }

  /// Sends once there is room: false if the call is over.
  synchronized boolean send(Q request) throws InterruptedException {
    while (!over && !call().isReady()) {
      wait();
    }
    if (over) {
      return false;
    }
    call().onNext(request);
    return true;
  }

  /// Breaks the call off.
  void cancel() {
    call().cancel("this side has gone", null);
  }
}
