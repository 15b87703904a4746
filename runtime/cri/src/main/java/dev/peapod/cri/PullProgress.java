package dev.peapod.cri;

import dev.peapod.image.LayerProgress;
import dev.peapod.image.ProgressListener;
import dev.peapod.proto.peapod.v1.ImagePullProgress;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.LinkedHashMap;
import java.util.Map;

/// Tells a client how a pull goes on, at most every 100 ms, and only while the client reads. Thread-safe.
final class PullProgress implements ProgressListener {
  private static final long INTERVAL_NANOS = 100_000_000;

  private final String reference;
  private final ServerCallStreamObserver<ImagePullProgress> client;
  private final Map<String, LayerProgress> layers = new LinkedHashMap<>();
  private long lastSent = System.nanoTime() - INTERVAL_NANOS;

  PullProgress(String reference, ServerCallStreamObserver<ImagePullProgress> client) {
    this.reference = reference;
    this.client = client;
  }

  @Override
  public synchronized void progress(LayerProgress layer) {
    layers.put(layer.digest(), layer);
    long now = System.nanoTime();
    if (now - lastSent >= INTERVAL_NANOS && client.isReady() && !client.isCancelled()) {
      lastSent = now;
      client.onNext(message().build());
    }
  }

  /// Everything known so far.
  synchronized ImagePullProgress.Builder message() {
    return ImagePullProgress.newBuilder()
        .setReference(reference)
        .addAllLayers(layers.values().stream().map(PullProgress::layer).toList());
  }

  private static dev.peapod.proto.peapod.v1.LayerProgress layer(LayerProgress layer) {
    return dev.peapod.proto.peapod.v1.LayerProgress.newBuilder()
        .setDigest(layer.digest())
        .setState(
            switch (layer.state()) {
              case WAITING -> dev.peapod.proto.peapod.v1.LayerProgress.State.WAITING;
              case DOWNLOADING -> dev.peapod.proto.peapod.v1.LayerProgress.State.DOWNLOADING;
              case UNPACKING -> dev.peapod.proto.peapod.v1.LayerProgress.State.UNPACKING;
              case DONE -> dev.peapod.proto.peapod.v1.LayerProgress.State.DONE;
              case EXISTS -> dev.peapod.proto.peapod.v1.LayerProgress.State.PRESENT;
            })
        .setDoneBytes(layer.bytes())
        .setTotalBytes(layer.total())
        .build();
  }
}
