package dev.peapod.linux;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Programs of the machine's own that do something once, for want of an interface: not on the way of any pod.
public final class Programs {
  private static final long TIMEOUT_SECONDS = 20;
  private static final int MAX_OUTPUT = 64 << 10;

  private Programs() {}

  /// Runs a program to its end.
  ///
  /// @param input what it reads from its standard input
  /// @param origin where it comes from, such as `nft is in Debian's package nftables`
  /// @throws PeapodException FAILED_PRECONDITION if it is not installed, INTERNAL with what it says if it fails,
  ///     DEADLINE_EXCEEDED after 20 seconds
  public static void run(List<String> command, String input, String origin) {
    String name = command.getFirst();
    Process process = start(command, origin);
    try (OutputStream in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // It ended early; what it said is read below.
    }
    try {
      String output =
          new String(process.getInputStream().readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new PeapodException(
            PeapodException.Kind.DEADLINE_EXCEEDED,
            name + " did not end within " + TIMEOUT_SECONDS + " seconds");
      }
      if (process.exitValue() != 0) {
        throw new PeapodException(
            PeapodException.Kind.INTERNAL, name + " refused its input: " + output.strip());
      }
    } catch (IOException e) {
      throw PeapodException.internal("the output of " + name + " can not be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(
          PeapodException.Kind.UNAVAILABLE, "interrupted while " + name + " was running", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process start(List<String> command, String origin) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "the program " + command.getFirst() + " can not be run; " + origin,
          e);
    }
  }
}
