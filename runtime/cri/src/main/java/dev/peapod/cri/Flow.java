package dev.peapod.cri;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The answers of a streaming call, sent by a virtual thread of its own, which waits while the client is
/// behind: the call's own thread has to stay free to hear that the client is ready, or gone.
final class Flow<A> {
  /// Sends the answers. What it throws becomes the call's status.
  interface Work<A> {
    void send(Flow<A> flow) throws InterruptedException;
  }

  private final ServerCallStreamObserver<A> observer;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  private Flow(ServerCallStreamObserver<A> observer) {
    this.observer = observer;
  }

  /// Answers a call; to be called by its handler.
  static <A> void answer(String method, StreamObserver<A> answers, Work<A> work) {
    ServerCallStreamObserver<A> observer = (ServerCallStreamObserver<A>) answers;
    Flow<A> flow = new Flow<>(observer);
    Thread thread = Thread.ofVirtual().name(method).unstarted(() -> flow.run(method, work));
    observer.setOnReadyHandler(flow::wake);
    observer.setOnCancelHandler(thread::interrupt);
    thread.start();
  }

  private void run(String method, Work<A> work) {
    try {
      work.send(this);
      observer.onCompleted();
    } catch (InterruptedException e) {
      // The client has gone.
    } catch (RuntimeException e) {
      if (!observer.isCancelled()) {
        observer.onError(ErrorInterceptor.statusOf(method, e).asRuntimeException());
      }
    }
  }

  private void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Sends one as soon as the client takes it.
  ///
  /// @throws InterruptedException if the client has gone
  void send(A message) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!observer.isReady()) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
    observer.onNext(message);
  }
}
