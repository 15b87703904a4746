package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ImagePullProgress;
import dev.peapod.proto.peapod.v1.ImagePullRequest;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "pull", description = "Gets images from their registries.")
final class ImagePull implements Callable<Integer> {
  @ParentCommand private ImageVerbs parent = new ImageVerbs();

  @Parameters(arity = "1..*", paramLabel = "IMAGE")
  private List<String> images = List.of();

  @Option(
      names = {"-q", "--quiet"},
      description = "No progress.")
  private boolean quiet;

  @Override
  public Integer call() {
    try (Daemon daemon = new Daemon(parent.root)) {
      for (String image : images) {
        Iterator<ImagePullProgress> answers =
            daemon.images().pull(ImagePullRequest.newBuilder().setReference(image).build());
        PullDisplay display = quiet ? PullDisplay.none() : PullDisplay.here();
        ImagePullProgress last = ImagePullProgress.getDefaultInstance();
        try {
          while (answers.hasNext()) {
            last = answers.next();
            display.show(last);
          }
        } finally {
          display.end();
        }
        String reference = last.getReference().isEmpty() ? image : last.getReference();
        System.out.println(reference + " " + last.getImage().getId());
        System.out.flush();
      }
    }
    return 0;
  }
}
