package dev.peapod.daemon;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Gives a call of one request and one answer a thread when all of its request is there, and only then. gRPC by itself
/// wakes a thread for each step of a call, which costs more than many a call. Thread-safe.
///
/// Belongs to a server whose own executor is the direct one: [#getExecutor] gives all other calls the handlers'
/// threads.
final class UnaryCalls implements ServerInterceptor, ServerCallExecutorSupplier {
  private final Executor handlers;

  /// @param handlers gives each task a thread that may block
  UnaryCalls(Executor handlers) {
    this.handlers = handlers;
  }

  private static boolean isUnary(ServerCall<?, ?> call) {
    return call.getMethodDescriptor().getType() == MethodType.UNARY;
  }

  @Override
  public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
    return isUnary(call) ? null : handlers;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    ServerCall.Listener<Q> listener = next.startCall(call, headers);
    return isUnary(call) ? new OnOwnThread<>(call, listener, handlers) : listener;
  }

  /// From the end of the request on, a listener is told one thing after the other, as gRPC promises.
  private static final class OnOwnThread<Q> extends SimpleForwardingServerCallListener<Q> {
    private final ServerCall<Q, ?> call;
    private final Executor handlers;

    OnOwnThread(ServerCall<Q, ?> call, ServerCall.Listener<Q> listener, Executor handlers) {
      super(listener);
      this.call = call;
      this.handlers = MoreExecutors.newSequentialExecutor(handlers);
    }

    @Override
    public void onHalfClose() {
      tell(
          () -> {
            try {
              super.onHalfClose();
            } catch (RuntimeException | Error e) {
              call.close(Status.UNKNOWN.withCause(e), new Metadata());
              throw e;
            }
          });
    }

    @Override
    public void onCancel() {
      tell(super::onCancel);
    }

    @Override
    public void onComplete() {
      tell(super::onComplete);
    }

    private void tell(Runnable step) {
      handlers.execute(Context.current().wrap(step));
    }
  }
}
