package dev.peapod.cri;

import com.google.protobuf.MessageLite;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// Sends a list in messages of a bounded size.
final class Batches {
  private static final int LARGEST = 1 << 20;

  private Batches() {}

  /// One message for each batch, and at least one.
  ///
  /// @param all makes the list
  /// @param answer makes a message of a batch
  static <T extends MessageLite, A> void send(
      String method,
      StreamObserver<A> observer,
      Supplier<List<T>> all,
      Function<List<T>, A> answer) {
    Flow.answer(
        method,
        observer,
        flow -> {
          List<T> batch = new ArrayList<>();
          int size = 0;
          for (T one : all.get()) {
            int more = one.getSerializedSize();
            if (size + more > LARGEST && !batch.isEmpty()) {
              flow.send(answer.apply(batch));
              batch = new ArrayList<>();
              size = 0;
            }
            batch.add(one);
            size += more;
          }
          flow.send(answer.apply(batch));
        });
  }
}
