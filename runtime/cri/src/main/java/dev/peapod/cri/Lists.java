package dev.peapod.cri;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.peapod.error.PeapodException;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Answers that are one list, put together of bytes that were made before.
final class Lists {
  /// The one field of such an answer.
  private static final int FIELD = 1;

  private Lists() {}

  /// A message as an element of a list.
  static byte[] element(MessageLite message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.getSerializedSize() + 8);
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(bytes, 64);
      out.writeMessage(FIELD, message);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /// The list of such elements.
  static byte[] of(List<byte[]> elements) {
    byte[] all = new byte[elements.stream().mapToInt(e -> e.length).sum()];
    int end = 0;
    for (byte[] element : elements) {
      System.arraycopy(element, 0, all, end, element.length);
      end += element.length;
    }
    return all;
  }

  /// A request of its bytes.
  static <Q> Q request(Parser<Q> parser, InputStream bytes) {
    try {
      return parser.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, "the bytes are no request: " + e.getMessage(), e);
    }
  }

  /// A service with some methods answered so.
  ///
  /// @param service takes and answers streams of bytes
  /// @param methods from the request to the answer, by name
  static ServerServiceDefinition answered(
      ServerServiceDefinition service, Map<String, Function<InputStream, byte[]>> methods) {
    ServerServiceDefinition.Builder all =
        ServerServiceDefinition.builder(service.getServiceDescriptor());
    for (ServerMethodDefinition<?, ?> any : service.getMethods()) {
      @SuppressWarnings("unchecked")
      ServerMethodDefinition<InputStream, InputStream> method =
          (ServerMethodDefinition<InputStream, InputStream>) any;
      Function<InputStream, byte[]> answer =
          methods.get(method.getMethodDescriptor().getBareMethodName());
      all.addMethod(answer == null ? method : answered(method, answer));
    }
    return all.build();
  }

  private static ServerMethodDefinition<InputStream, InputStream> answered(
      ServerMethodDefinition<InputStream, InputStream> method,
      Function<InputStream, byte[]> answer) {
    ServerCallHandler<InputStream, InputStream> handler =
        ServerCalls.asyncUnaryCall(
            (request, observer) ->
                Answers.send(observer, new ByteArrayInputStream(answer.apply(request))));
    return method.withServerCallHandler(
        (call, headers) -> new Copying(handler.startCall(call, headers)));
  }

  /// Keeps a request until it is answered: gRPC takes its bytes back once they were passed on.
  private static final class Copying extends SimpleForwardingServerCallListener<InputStream> {
    Copying(ServerCall.Listener<InputStream> listener) {
      super(listener);
    }

    @Override
    public void onMessage(InputStream request) {
      try {
        super.onMessage(new ByteArrayInputStream(request.readAllBytes()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
