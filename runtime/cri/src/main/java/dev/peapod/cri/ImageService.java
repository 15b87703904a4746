package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.image.FsUsage;
import dev.peapod.image.Image;
import dev.peapod.image.ImageStore;
import dev.peapod.image.ProgressListener;
import dev.peapod.image.Reference;
import dev.peapod.image.Snapshots;
import dev.peapod.proto.runtime.v1.FilesystemIdentifier;
import dev.peapod.proto.runtime.v1.FilesystemUsage;
import dev.peapod.proto.runtime.v1.ImageFilter;
import dev.peapod.proto.runtime.v1.ImageFsInfoRequest;
import dev.peapod.proto.runtime.v1.ImageFsInfoResponse;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.ImageStatusResponse;
import dev.peapod.proto.runtime.v1.ListImagesRequest;
import dev.peapod.proto.runtime.v1.ListImagesResponse;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.PullImageResponse;
import dev.peapod.proto.runtime.v1.RemoveImageRequest;
import dev.peapod.proto.runtime.v1.RemoveImageResponse;
import dev.peapod.proto.runtime.v1.StreamImagesRequest;
import dev.peapod.proto.runtime.v1.StreamImagesResponse;
import dev.peapod.proto.runtime.v1.UInt64Value;
import io.grpc.stub.StreamObserver;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// CRI v1's ImageService for one owner. Calls block; the server runs each on a thread of its own.
final class ImageService extends ImageServiceGrpc.ImageServiceImplBase {
  private final PodRuntime runtime;
  private final ImageStore images;
  private final Snapshots snapshots;
  private final Clock clock;

  ImageService(PodRuntime runtime, ImageStore images, Snapshots snapshots, Clock clock) {
    this.runtime = runtime;
    this.images = images;
    this.snapshots = snapshots;
    this.clock = clock;
  }

  @Override
  public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> answer) {
    Refusals.required(!request.getImage().getImage().isEmpty(), "image.image");
    Image image =
        images.pull(
            runtime.owner(),
            Reference.parse(request.getImage().getImage()),
            ImageMapping.credentials(request.getAuth()),
            ProgressListener.NONE);
    Answers.send(answer, PullImageResponse.newBuilder().setImageRef(image.id()).build());
  }

  @Override
  public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> answer) {
    Answers.send(
        answer,
        ListImagesResponse.newBuilder().addAllImages(listed(request.getFilter())).build());
  }

  @Override
  public void streamImages(
      StreamImagesRequest request, StreamObserver<StreamImagesResponse> answer) {
    Batches.send(
        "StreamImages",
        answer,
        () -> listed(request.getFilter()),
        batch -> StreamImagesResponse.newBuilder().addAllImages(batch).build());
  }

  private List<dev.peapod.proto.runtime.v1.Image> listed(ImageFilter filter) {
    String wanted = filter.getImage().getImage();
    List<Image> found =
        wanted.isEmpty()
            ? images.list(runtime.owner())
            : images.find(runtime.owner(), wanted).stream().toList();
    return found.stream().map(ImageMapping::image).toList();
  }

  @Override
  public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> answer) {
    Refusals.required(!request.getImage().getImage().isEmpty(), "image.image");
    Optional<Image> image = images.find(runtime.owner(), request.getImage().getImage());
    ImageStatusResponse.Builder response = ImageStatusResponse.newBuilder();
    image.map(ImageMapping::image).ifPresent(response::setImage);
    if (request.getVerbose()) {
      image.ifPresent(i -> response.putInfo("info", ImageInfoJson.of(i)));
    }
    Answers.send(answer, response.build());
  }

  @Override
  public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> answer) {
    Refusals.required(!request.getImage().getImage().isEmpty(), "image.image");
    images.remove(runtime.owner(), request.getImage().getImage());
    Answers.send(answer, RemoveImageResponse.getDefaultInstance());
  }

  @Override
  public void imageFsInfo(ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> answer) {
    List<FsUsage> written =
        runtime.containers().stream()
            .map(ContainerStatus::id)
            .map(snapshots::usage)
            .toList();
    FsUsage containers =
        new FsUsage(
            snapshots.directory(),
            written.stream().mapToLong(FsUsage::bytes).sum(),
            written.stream().mapToLong(FsUsage::inodes).sum());
    Answers.send(
        answer,
        ImageFsInfoResponse.newBuilder()
            .addImageFilesystems(usage(images.usage()))
            .addContainerFilesystems(usage(containers))
            .build());
  }

  private FilesystemUsage usage(FsUsage usage) {
    return FilesystemUsage.newBuilder()
        .setTimestamp(Nanos.now(clock))
        .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(usage.directory().toString()))
        .setUsedBytes(UInt64Value.newBuilder().setValue(usage.bytes()))
        .setInodesUsed(UInt64Value.newBuilder().setValue(usage.inodes()))
        .build();
  }
}
