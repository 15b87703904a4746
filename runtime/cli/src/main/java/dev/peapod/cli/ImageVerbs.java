package dev.peapod.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "image",
    aliases = "images",
    description = "Pulls, loads, lists and removes the images of pods.",
    subcommands = {ImagePull.class, ImageLoad.class, ImageList.class, ImageRemove.class})
final class ImageVerbs implements Callable<Integer> {
  @ParentCommand Root root = new Root();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    spec.commandLine().usage(System.err);
    return Main.USAGE;
  }
}
