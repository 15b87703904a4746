package dev.peapod.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Open;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/// A fresh network namespace for one test, gone when closed.
public final class ScratchNamespace implements AutoCloseable {
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final String name;
  private final Fd fd;

  private ScratchNamespace(String name, Fd fd) {
    this.name = name;
    this.fd = fd;
  }

  public static ScratchNamespace create() throws Exception {
    assumeTrue(
        "root".equals(System.getProperty("user.name")), "network namespaces need root");
    String name = "peatest-" + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
    run(List.of("ip", "netns", "add", name));
    return new ScratchNamespace(name, Fd.open("/run/netns/" + name, Open.RDONLY));
  }

  public Fd fd() {
    return fd;
  }

  public Path path() {
    return Path.of("/run/netns", name);
  }

  public NetlinkSocket socket(int protocol) throws Exception {
    return within(() -> NetlinkSocket.open(protocol));
  }

  public <T> T within(Callable<T> work) throws Exception {
    return Namespaces.within(fd, work);
  }

  /// Runs a command inside and answers what it printed.
  public String exec(String... command) throws Exception {
    List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", name));
    whole.addAll(List.of(command));
    return run(whole);
  }

  @Override
  public void close() throws Exception {
    fd.close();
    if (Files.exists(path())) {
      run(List.of("ip", "netns", "del", name));
    }
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", command, output).isZero();
    return output;
  }
}
