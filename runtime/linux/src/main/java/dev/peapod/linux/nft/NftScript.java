package dev.peapod.linux.nft;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Executes the `nft` program with a script on its standard input; the kernel applies the script as
/// a whole or not at all.
///
/// It takes milliseconds: for tables and rules that are made once, not for what changes with each
/// pod.
public final class NftScript {
  private static final long TIMEOUT_SECONDS = 20;
  private static final int MAX_OUTPUT = 64 << 10;

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
    Process process = start(command);
    try (OutputStream in = process.getOutputStream()) {
      in.write(script.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // nft ended early; what it said is read below.
    }
    try {
      String output =
          new String(
              process.getInputStream().readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new PeapodException(
            PeapodException.Kind.DEADLINE_EXCEEDED,
            "nft did not end within " + TIMEOUT_SECONDS + " seconds");
      }
      if (process.exitValue() != 0) {
        throw new PeapodException(
            PeapodException.Kind.INTERNAL,
            "nft refused its script: " + output.strip());
      }
    } catch (IOException e) {
      throw PeapodException.internal("the output of nft can not be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(
          PeapodException.Kind.UNAVAILABLE, "interrupted while nft was running", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process start(List<String> command) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "the program "
              + command.getFirst()
              + " can not be run; nft is in Debian's package nftables",
          e);
    }
  }
}
