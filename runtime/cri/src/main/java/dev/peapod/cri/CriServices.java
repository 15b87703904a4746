package dev.peapod.cri;

import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.engine.PodRuntime;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshots;
import io.grpc.BindableService;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import java.time.Clock;
import java.util.List;

/// The gRPC services of one owner's view.
public final class CriServices {
  private CriServices() {}

  /// CRI v1's RuntimeService and ImageService. Handlers block, so the server's executor must give each call a thread.
  ///
  /// @param streaming shared by all owners: its tickets know whose they are
  /// @param version of this build, as `Version` tells it
  public static List<ServerServiceDefinition> of(
      PodRuntime runtime,
      ImageStore images,
      Snapshots snapshots,
      StreamingServer streaming,
      String version) {
    ErrorInterceptor errors = new ErrorInterceptor();
    return List.of(
        guarded(runtimeService(runtime, snapshots, streaming, version), errors),
        guarded(inBytes(new ImageService(runtime, images, snapshots, Clock.systemUTC())), errors));
  }

  private static ServerServiceDefinition runtimeService(
      PodRuntime runtime, Snapshots snapshots, StreamingServer streaming, String version) {
    RuntimeService service = new RuntimeService(runtime, snapshots, streaming, version);
    return Lists.answered(inBytes(service), service.lists());
  }

  private static ServerServiceDefinition inBytes(BindableService service) {
    return ServerInterceptors.useInputStreamMessages(service.bindService());
  }

  /// Requests are parsed behind the interceptor, so that it also sees those that can not be.
  private static ServerServiceDefinition guarded(
      ServerServiceDefinition service, ErrorInterceptor errors) {
    return ServerInterceptors.intercept(service, errors);
  }

  /// The pod API's `Images`, on the images of an owner.
  public static ServerServiceDefinition images(String owner, ImageStore images) {
    return ServerInterceptors.intercept(
        new PodImageService(owner, images), new ErrorInterceptor());
  }
}
