package dev.peapod.cri;

import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.engine.PodRuntime;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshots;
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
    RuntimeService service = new RuntimeService(runtime, snapshots, streaming, version);
    return List.of(
        guarded(Lists.with(service.bindService(), service.lists())),
        guarded(new ImageService(runtime, images, snapshots, Clock.systemUTC()).bindService()));
  }

  /// Requests are parsed behind the interceptor, so that it also sees those that can not be.
  private static ServerServiceDefinition guarded(ServerServiceDefinition service) {
    return ServerInterceptors.intercept(
        ServerInterceptors.useMarshalledMessages(service, new Unread()), new ErrorInterceptor());
  }

  /// The pod API's `Images`, on the images of an owner.
  public static ServerServiceDefinition images(String owner, ImageStore images) {
    return ServerInterceptors.intercept(
        new PodImageService(owner, images), new ErrorInterceptor());
  }
}
