package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.proto.peapod.v1.ImageInfo;
import dev.peapod.proto.peapod.v1.ImageListRequest;
import dev.peapod.proto.peapod.v1.ImageListResponse;
import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import dev.peapod.proto.peapod.v1.ImagePullProgress;
import dev.peapod.proto.peapod.v1.ImagePullRequest;
import dev.peapod.proto.peapod.v1.ImageRemoveRequest;
import dev.peapod.proto.peapod.v1.ImageRemoveResponse;
import dev.peapod.proto.peapod.v1.ImagesGrpc;
import dev.peapod.proto.peapod.v1.RegistryCredentials;
import dev.peapod.proto.runtime.v1.AuthConfig;
import dev.peapod.proto.runtime.v1.Image;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/// `peapod.v1.Images` of a runtime that is not Peapod's own, as far as the CRI goes: a pull shows no
/// progress, and archives can not be loaded.
public final class RuntimeImages extends ImagesGrpc.ImagesImplBase {
  private final Cri cri;

  public RuntimeImages(Cri cri) {
    this.cri = cri;
  }

  @Override
  public void pull(ImagePullRequest request, StreamObserver<ImagePullProgress> answer) {
    Calls.serve(
        answer,
        () -> {
          Optional<AuthConfig> credentials =
              request.hasCredentials()
                  ? Optional.of(credentials(request.getCredentials()))
                  : Optional.empty();
          String pulled = cri.pull(request.getReference(), credentials);
          Image image =
              cri.image(pulled)
                  .or(() -> cri.image(request.getReference()))
                  .orElseThrow(() -> noSuchImage(request.getReference()));
          answer.onNext(
              ImagePullProgress.newBuilder()
                  .setReference(request.getReference())
                  .setImage(info(image))
                  .build());
        });
  }

  private static AuthConfig credentials(RegistryCredentials credentials) {
    return AuthConfig.newBuilder()
        .setUsername(credentials.getUsername())
        .setPassword(credentials.getPassword())
        .setIdentityToken(credentials.getIdentityToken())
        .setRegistryToken(credentials.getRegistryToken())
        .build();
  }

  @Override
  public StreamObserver<ImageLoadRequest> load(StreamObserver<ImageLoadResponse> answer) {
    Calls.serve(
        answer,
        () -> {
          throw new PeapodException(
              Kind.UNIMPLEMENTED,
              "the CRI can not load archives; load it with the runtime's own tools");
        });
    return new StreamObserver<>() {
      @Override
      public void onNext(ImageLoadRequest request) {}

      @Override
      public void onError(Throwable cause) {}

      @Override
      public void onCompleted() {}
    };
  }

  @Override
  public void list(ImageListRequest request, StreamObserver<ImageListResponse> answer) {
    Calls.serve(
        answer,
        () -> {
          ImageListResponse.Builder response = ImageListResponse.newBuilder();
          cri.images(request.getReference()).forEach(image -> response.addImages(info(image)));
          answer.onNext(response.build());
        });
  }

  @Override
  public void remove(ImageRemoveRequest request, StreamObserver<ImageRemoveResponse> answer) {
    Calls.serve(
        answer,
        () -> {
          Image image =
              cri.image(request.getReference())
                  .orElseThrow(() -> noSuchImage(request.getReference()));
          cri.removeImage(request.getReference());
          answer.onNext(
              ImageRemoveResponse.newBuilder()
                  .addAllReferences(image.getRepoTagsList())
                  .addAllReferences(image.getRepoDigestsList())
                  .build());
        });
  }

  private static PeapodException noSuchImage(String reference) {
    return PeapodException.notFound("image \"" + reference + "\" is not there");
  }

  private static ImageInfo info(Image image) {
    return ImageInfo.newBuilder()
        .setId(image.getId())
        .addAllTags(image.getRepoTagsList())
        .addAllDigests(image.getRepoDigestsList())
        .setSize(image.getSize())
        .build();
  }
}
