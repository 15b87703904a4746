package dev.peapod.cri;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/// The one place where failures become gRPC status codes: handlers just throw. Thread-safe.
public final class ErrorInterceptor implements ServerInterceptor {
  private static final System.Logger LOG = System.getLogger(ErrorInterceptor.class.getName());

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      private boolean closed;

      @Override
      public void onMessage(Q message) {
        guarded(() -> super.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        guarded(super::onHalfClose);
      }

      private void guarded(Runnable step) {
        if (closed) {
          return;
        }
        try {
          step.run();
        } catch (RuntimeException e) {
          closed = true;
          call.close(statusOf(call.getMethodDescriptor().getFullMethodName(), e), new Metadata());
        }
      }
    };
  }

  /// The status that a failure is told with; one that nobody foresaw is logged as well.
  static Status statusOf(String method, RuntimeException failure) {
    return switch (failure) {
      case PeapodException e -> {
        if (e.kind() == PeapodException.Kind.INTERNAL) {
          LOG.log(Level.ERROR, method + " failed", e);
        }
        yield Status.fromCodeValue(e.kind().code()).withDescription(text(e.getMessage()));
      }
      case KernelException e -> {
        LOG.log(Level.ERROR, method + " failed", e);
        yield Status.INTERNAL.withDescription(text(e.getMessage()));
      }
      case StatusRuntimeException e when e.getCause() instanceof InvalidProtocolBufferException ->
          Status.INVALID_ARGUMENT.withDescription("the bytes are no request of " + method);
      default -> {
        LOG.log(Level.ERROR, method + " failed", failure);
        yield Status.INTERNAL.withDescription(
            "peapodd has a defect: " + failure + "; its log has the details");
      }
    };
  }

  private static String text(@Nullable String message) {
    return message == null ? "no reason is known" : message;
  }
}
