package dev.peapod.linux.nft;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Programs;
import java.util.ArrayList;
import java.util.List;

/// Executes the `nft` program with a script on its standard input; the kernel applies the script as
/// a whole or not at all.
///
/// It takes milliseconds: for tables and rules that are made once, not for what changes with each
/// pod.
public final class NftScript {
  private NftScript() {}

  /// Runs the script.
  ///
  /// @param prefix a command that is to run `nft`, such as `nsenter --net=FILE`; empty to run it
  ///     here
  /// @throws PeapodException FAILED_PRECONDITION if `nft` is not installed, INTERNAL with its
  ///     message if it refuses the script
  public static void run(List<String> prefix, String script) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(List.of("nft", "-f", "-"));
    Programs.run(command, script, "nft is in Debian's package nftables");
  }
}
