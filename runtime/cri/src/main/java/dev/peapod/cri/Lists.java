package dev.peapod.cri;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/// Answers that are one list, put together of bytes that were made before.
final class Lists {
  /// The one field of such an answer.
  private static final int FIELD = 1;

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] answer) {
          return new ByteArrayInputStream(answer);
        }

        @Override
        public byte[] parse(InputStream answer) {
          throw new UnsupportedOperationException("answers are made here, not read");
        }
      };

  private Lists() {}

  /// A message as an element of a list.
  static byte[] element(MessageLite message) {
    byte[] bytes = new byte[CodedOutputStream.computeMessageSize(FIELD, message)];
    try {
      CodedOutputStream.newInstance(bytes).writeMessage(FIELD, message);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes;
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

  /// A method answered by the bytes of its answer.
  static <Q> ServerMethodDefinition<Q, byte[]> method(
      MethodDescriptor<Q, ?> method, Function<Q, byte[]> answer) {
    return ServerMethodDefinition.create(
        method.toBuilder(method.getRequestMarshaller(), BYTES).build(),
        ServerCalls.asyncUnaryCall(
            (request, observer) -> Answers.send(observer, answer.apply(request))));
  }

  /// A service with such methods in place of its own of the same names.
  static ServerServiceDefinition with(
      ServerServiceDefinition service, List<ServerMethodDefinition<?, byte[]>> methods) {
    Map<String, ServerMethodDefinition<?, ?>> all = new LinkedHashMap<>();
    Stream.concat(service.getMethods().stream(), methods.stream())
        .forEach(method -> all.put(method.getMethodDescriptor().getFullMethodName(), method));
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(service.getServiceDescriptor().getName())
            .setSchemaDescriptor(service.getServiceDescriptor().getSchemaDescriptor());
    all.values().forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder definition =
        ServerServiceDefinition.builder(descriptor.build());
    all.values().forEach(definition::addMethod);
    return definition.build();
  }
}
