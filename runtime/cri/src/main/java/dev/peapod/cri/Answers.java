package dev.peapod.cri;

import io.grpc.stub.StreamObserver;

/// Sends the one answer of a unary call.
final class Answers {
  private Answers() {}

  static <A> void send(StreamObserver<A> observer, A answer) {
    observer.onNext(answer);
    observer.onCompleted();
  }
}
