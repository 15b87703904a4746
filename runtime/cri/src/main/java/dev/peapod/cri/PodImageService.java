package dev.peapod.cri;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Image;
import dev.peapod.image.ImageStore;
import dev.peapod.image.ProgressListener;
import dev.peapod.image.Reference;
import dev.peapod.proto.peapod.v1.ImageListRequest;
import dev.peapod.proto.peapod.v1.ImageListResponse;
import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import dev.peapod.proto.peapod.v1.ImagePullProgress;
import dev.peapod.proto.peapod.v1.ImagePullRequest;
import dev.peapod.proto.peapod.v1.ImageRemoveRequest;
import dev.peapod.proto.peapod.v1.ImageRemoveResponse;
import dev.peapod.proto.peapod.v1.ImagesGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;

/// The pod API's `Images`: what the CRI has no words for.
final class PodImageService extends ImagesGrpc.ImagesImplBase {
  private final String owner;
  private final ImageStore images;

  PodImageService(String owner, ImageStore images) {
    this.owner = owner;
    this.images = images;
  }

  @Override
  public void pull(ImagePullRequest request, StreamObserver<ImagePullProgress> answer) {
    Reference reference = Reference.parse(request.getReference());
    ServerCallStreamObserver<ImagePullProgress> client =
        (ServerCallStreamObserver<ImagePullProgress>) answer;
    Thread puller = Thread.currentThread();
    client.setOnCancelHandler(puller::interrupt);
    PullProgress progress = new PullProgress(reference.toString(), client);
    Image image =
        images.pull(
            owner, reference, ImageMapping.credentials(request.getCredentials()), progress);
    Answers.send(answer, progress.message().setImage(ImageMapping.info(image)).build());
  }

  @Override
  public StreamObserver<ImageLoadRequest> load(StreamObserver<ImageLoadResponse> answer) {
    ServerCallStreamObserver<ImageLoadResponse> client =
        (ServerCallStreamObserver<ImageLoadResponse>) answer;
    return new ArchiveReceiver(
        client,
        archive ->
            ImageLoadResponse.newBuilder()
                .addAllImages(
                    images.load(owner, archive, ProgressListener.NONE).stream()
                        .map(ImageMapping::info)
                        .toList())
                .build());
  }

  @Override
  public void list(ImageListRequest request, StreamObserver<ImageListResponse> answer) {
    List<Image> found =
        request.getReference().isEmpty()
            ? images.list(owner)
            : images.find(owner, request.getReference()).stream().toList();
    Answers.send(
        answer,
        ImageListResponse.newBuilder()
            .addAllImages(found.stream().map(ImageMapping::info).toList())
            .build());
  }

  @Override
  public void remove(ImageRemoveRequest request, StreamObserver<ImageRemoveResponse> answer) {
    Image image =
        images
            .find(owner, request.getReference())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        "image \"" + request.getReference() + "\" is not there"));
    images.remove(owner, request.getReference());
    Answers.send(
        answer,
        ImageRemoveResponse.newBuilder()
            .addAllReferences(image.tags())
            .addAllReferences(image.digests())
            .build());
  }
}
