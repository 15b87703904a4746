package dev.peapod.cni.plugin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.cni.PortMapping;
import dev.peapod.cni.host.Host;
import dev.peapod.cni.spec.CniErrors;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.cni.spec.Json;
import dev.peapod.cni.spec.Keys;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// A plugin that is a program: executed by the CNI protocol, with the configuration on its standard
/// input.
public final class ExecutedPlugin implements Plugin {
  private static final System.Logger LOG = System.getLogger(ExecutedPlugin.class.getName());
  private static final long TIMEOUT_SECONDS = 120;
  private static final int MAX_OUTPUT = 1 << 20;

  private final String type;
  private final List<Path> path;
  private final Host host;

  /// @param type the program's file name
  /// @param path the directories where it may stand
  public ExecutedPlugin(String type, List<Path> path, Host host) {
    this.type = type;
    this.path = List.copyOf(path);
    this.host = host;
  }

  @Override
  public void validate(PluginConfig config) {
    if (type.isEmpty() || type.indexOf('/') >= 0 || type.startsWith(".")) {
      throw PeapodException.invalid(
          config.keys().where() + ": \"" + type + "\" is no file name of a plugin");
    }
  }

  @Override
  public CniResult add(PluginCall call) {
    byte[] output = run("ADD", call);
    String source = "the result of CNI plugin \"" + type + "\"";
    if (output.length == 0) {
      return call.previous().orElse(CniResult.EMPTY);
    }
    return CniResult.read(new Keys(Json.read(output, source), source));
  }

  @Override
  public void delete(PluginCall call) {
    run("DEL", call);
  }

  @Override
  public void check(PluginCall call) {
    run("CHECK", call);
  }

  private byte[] run(String command, PluginCall call) {
    String what = "CNI plugin \"" + type + "\" failed to " + command;
    List<String> line = new ArrayList<>(host.commandPrefix());
    line.add(program().toString());
    ProcessBuilder builder = new ProcessBuilder(line);
    Map<String, String> environment = builder.environment();
    environment.put("CNI_COMMAND", command);
    environment.put("CNI_CONTAINERID", call.sandboxId());
    environment.put("CNI_IFNAME", call.interfaceName());
    environment.put("CNI_NETNS", call.netns().map(Path::toString).orElse(""));
    environment.put("CNI_ARGS", call.args());
    environment.put("CNI_PATH", String.join(":", path.stream().map(Path::toString).toList()));
    Process process = start(builder, what);
    try {
      return talk(process, Json.write(configuration(call)), what);
    } catch (IOException | ExecutionException e) {
      throw PeapodException.internal(what + ": its output can not be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, what + ": interrupted", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private byte[] talk(Process process, byte[] input, String what)
      throws IOException, InterruptedException, ExecutionException {
    CompletableFuture<byte[]> output = read(process.getInputStream());
    CompletableFuture<byte[]> complaints = read(process.getErrorStream());
    try (OutputStream in = process.getOutputStream()) {
      in.write(input);
    } catch (IOException e) {
      // It ended without reading; its status says more.
    }
    if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      throw new PeapodException(
          Kind.DEADLINE_EXCEEDED, what + ": it did not end within " + TIMEOUT_SECONDS + " seconds");
    }
    byte[] out = output.get();
    String said = new String(complaints.get(), StandardCharsets.UTF_8).strip();
    if (process.exitValue() != 0) {
      throw failure(what, process.exitValue(), out, said);
    }
    if (!said.isEmpty()) {
      LOG.log(System.Logger.Level.DEBUG, "CNI plugin {0}: {1}", type, said);
    }
    return new String(out, StandardCharsets.UTF_8).isBlank() ? new byte[0] : out;
  }

  private static PeapodException failure(String what, int status, byte[] out, String said) {
    try {
      return CniErrors.read(new Keys(Json.read(out, what), what), what);
    } catch (PeapodException e) {
      return new PeapodException(
          Kind.INTERNAL,
          what + ": it ended with status " + status + (said.isEmpty() ? "" : ": " + said));
    }
  }

  private Process start(ProcessBuilder builder, String what) {
    try {
      return builder.start();
    } catch (IOException e) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, what + ": it can not be executed: " + e.getMessage(), e);
    }
  }

  private Path program() {
    return path.stream()
        .map(directory -> directory.resolve(type))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(
            () ->
                new PeapodException(
                    Kind.FAILED_PRECONDITION,
                    "CNI plugin \"" + type + "\" is not one of Peapod's and not found in " + path));
  }

  private static ObjectNode configuration(PluginCall call) {
    ObjectNode node = call.config().keys().node().deepCopy();
    node.put("cniVersion", call.config().cniVersion());
    node.put("name", call.config().network());
    call.previous()
        .ifPresent(result -> node.set("prevResult", result.write(call.config().cniVersion())));
    if (!call.portMappings().isEmpty()) {
      node.set("runtimeConfig", runtimeConfig(call.portMappings()));
    }
    return node;
  }

  private static ObjectNode runtimeConfig(List<PortMapping> mappings) {
    ObjectNode node = Json.object();
    ArrayNode list = node.putArray(PortMap.CAPABILITY);
    for (PortMapping mapping : mappings) {
      list.addObject()
          .put("hostPort", mapping.hostPort())
          .put("containerPort", mapping.containerPort())
          .put("protocol", mapping.protocol().text())
          .put("hostIP", mapping.hostIp());
    }
    return node;
  }

  private static CompletableFuture<byte[]> read(InputStream from) {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try (from) {
            byte[] bytes = from.readNBytes(MAX_OUTPUT);
            result.complete(bytes);
          } catch (IOException | UncheckedIOException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
