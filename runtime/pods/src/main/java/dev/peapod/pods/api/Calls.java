package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.lang.System.Logger;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// How calls are served: blocking code on a virtual thread each, failures as gRPC statuses.
final class Calls {
  private static final Logger LOG = System.getLogger(Calls.class.getName());

  private Calls() {}

  /// A call's work; it may block, and an interrupt means that the caller has left.
  interface Work {
    void run() throws Exception;
  }

  /// For work that is known only after the rpc method has returned, when handlers can no longer be
  /// set. Made before it returns.
  static final class Deferred {
    private final StreamObserver<?> answer;
    private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();

    Deferred(StreamObserver<?> answer) {
      this.answer = answer;
      ((ServerCallStreamObserver<?>) answer)
          .setOnCancelHandler(
              () -> {
                Thread running = thread.get();
                if (running != null) {
                  running.interrupt();
                }
              });
    }

    void serve(Work work) {
      Thread running =
          Thread.ofVirtual()
              .name("rpc")
              .unstarted(Context.current().wrap(() -> Calls.run(answer, work)));
      thread.set(running);
      running.start();
    }
  }

  /// Runs the work on a virtual thread of its own and completes the call after it.
  static void serve(StreamObserver<?> answer, Work work) {
    ServerCallStreamObserver<?> call = (ServerCallStreamObserver<?>) answer;
    Thread thread =
        Thread.ofVirtual().name("rpc").unstarted(Context.current().wrap(() -> run(answer, work)));
    call.setOnCancelHandler(thread::interrupt);
    thread.start();
  }

  private static void run(StreamObserver<?> answer, Work work) {
    try {
      work.run();
      answer.onCompleted();
    } catch (InterruptedException e) {
      answer.onError(Status.CANCELLED.withDescription("the caller has left").asRuntimeException());
    } catch (StatusRuntimeException e) {
      answer.onError(e);
    } catch (PeapodException e) {
      if (e.kind() == PeapodException.Kind.INTERNAL) {
        LOG.log(Logger.Level.ERROR, e.getMessage(), e);
      }
      answer.onError(status(e).asRuntimeException());
    } catch (Exception e) {
      LOG.log(Logger.Level.ERROR, "a call failed", e);
      answer.onError(Status.INTERNAL.withDescription("internal error: " + e).asRuntimeException());
    }
  }

  static Status status(PeapodException e) {
    return Status.fromCodeValue(e.kind().code()).withDescription(e.getMessage());
  }

  /// Sends messages no quicker than the caller takes them, so that a slow one costs no memory. Made
  /// before the rpc method returns.
  static final class Sender<T> {
    private final ServerCallStreamObserver<T> call;
    private final Semaphore ready = new Semaphore(0);

    Sender(StreamObserver<T> answer) {
      this.call = (ServerCallStreamObserver<T>) answer;
      call.setOnReadyHandler(ready::release);
    }

    void send(T message) throws InterruptedException {
      while (!call.isReady()) {
        if (call.isCancelled()) {
          throw new InterruptedException();
        }
        if (ready.tryAcquire(1, TimeUnit.SECONDS)) {
          ready.drainPermits();
        }
      }
      call.onNext(message);
    }
  }
}
