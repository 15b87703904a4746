package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ImageRemoveRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "rm", aliases = "remove", description = "Removes images, by reference or id.")
final class ImageRemove implements Callable<Integer> {
  @ParentCommand private ImageVerbs parent = new ImageVerbs();

  @Parameters(arity = "1..*", paramLabel = "IMAGE")
  private List<String> images = List.of();

  @Override
  public Integer call() {
    int code = 0;
    try (Daemon daemon = new Daemon(parent.root)) {
      for (String image : images) {
        try {
          var response =
              daemon.images().remove(ImageRemoveRequest.newBuilder().setReference(image).build());
          List<String> gone = response.getReferencesList();
          (gone.isEmpty() ? List.of(image) : gone)
              .forEach(name -> System.out.println("Removed " + name));
        } catch (StatusRuntimeException e) {
          if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
            throw e;
          }
          Main.complain(String.valueOf(e.getStatus().getDescription()));
          code = Main.FAILED;
        }
      }
    }
    return code;
  }
}
