package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ImageInfo;
import dev.peapod.proto.peapod.v1.ImageListRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "ls", aliases = "list", description = "Lists images.")
final class ImageList implements Callable<Integer> {
  private static final int SHORT_ID = 12;

  @ParentCommand private ImageVerbs parent = new ImageVerbs();

  @Parameters(
      arity = "0..1",
      paramLabel = "IMAGE",
      defaultValue = "",
      description = "Only this one.")
  private String image = "";

  @Option(
      names = {"-q", "--quiet"},
      description = "The ids alone.")
  private boolean quiet;

  @Option(names = "--no-trunc", description = "Ids in full.")
  private boolean whole;

  @Option(names = "--digests", description = "With digests.")
  private boolean digests;

  @Override
  public Integer call() {
    try (Daemon daemon = new Daemon(parent.root)) {
      List<ImageInfo> images =
          daemon
              .images()
              .list(ImageListRequest.newBuilder().setReference(image).build())
              .getImagesList();
      if (quiet) {
        images.stream().map(i -> id(i.getId())).distinct().forEach(System.out::println);
        return 0;
      }
      Table table =
          digests
              ? new Table("IMAGE", "TAG", "DIGEST", "ID", "SIZE")
              : new Table("IMAGE", "TAG", "ID", "SIZE");
      images.forEach(i -> rows(i).forEach(table::row));
      table.print(true, false);
    }
    return 0;
  }

  private List<List<String>> rows(ImageInfo info) {
    List<List<String>> rows = new ArrayList<>();
    for (String tag : info.getTagsList()) {
      int colon = tag.lastIndexOf(':');
      rows.add(row(tag.substring(0, colon), tag.substring(colon + 1), info));
    }
    if (rows.isEmpty()) {
      String name = info.getDigestsCount() > 0 ? info.getDigests(0) : "";
      int at = name.indexOf('@');
      rows.add(row(at < 0 ? "<none>" : name.substring(0, at), "<none>", info));
    }
    return rows;
  }

  private List<String> row(String name, String tag, ImageInfo info) {
    List<String> row = new ArrayList<>(List.of(name, tag));
    if (digests) {
      row.add(
          info.getDigestsList().stream()
              .filter(d -> d.startsWith(name + "@"))
              .map(d -> d.substring(d.indexOf('@') + 1))
              .findFirst()
              .orElse("<none>"));
    }
    row.addAll(List.of(id(info.getId()), Texts.size(info.getSize())));
    return row;
  }

  private String id(String id) {
    String hex = id.substring(id.indexOf(':') + 1);
    return whole ? id : hex.substring(0, Math.min(SHORT_ID, hex.length()));
  }
}
