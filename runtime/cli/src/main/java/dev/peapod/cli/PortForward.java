package dev.peapod.cli;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.PodForwardRequest;
import dev.peapod.proto.peapod.v1.PodForwardResponse;
import dev.peapod.proto.peapod.v1.PodForwardStart;
import dev.peapod.proto.peapod.v1.PodSummary;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "port-forward",
    description = "Listens here and passes connections on to ports in a pod, until it is ended.",
    footer = {"", "peapod port-forward web 8080:80   http://127.0.0.1:8080 is the pod's port 80"})
final class PortForward implements Callable<Integer> {
  private static final int CHUNK = 32 << 10;

  /// @param local 0: any that is free
  private record Ports(int local, int remote) {}

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "[LOCAL:]PORT",
      description = "Where to listen and the pod's port; nothing before the colon: a free port.")
  private List<String> words = List.of();

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Where to listen (default: 127.0.0.1).")
  private String address = "127.0.0.1";

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<Ports> ports = words.stream().map(PortForward::ports).toList();
    String name = Names.one(pod);
    InetAddress here = address();
    try (Daemon daemon = new Daemon(root)) {
      PodSummary summary =
          daemon
              .pods()
              .get(GetPodRequest.newBuilder().setNamespace(in.namespace).setName(name).build())
              .getSummary();
      if (!summary.getPhase().equals("Running")) {
        throw new Failure("pod " + name + " is not running: it is " + summary.getStatus());
      }
      List<Thread> threads = new ArrayList<>();
      for (Ports each : ports) {
        ServerSocket server = new ServerSocket();
        try {
          server.bind(new InetSocketAddress(here, each.local()));
        } catch (IOException e) {
          server.close();
          throw new Failure(
              "can not listen on port " + each.local() + " of " + address + ": " + e.getMessage());
        }
        System.out.println(
            "Forwarding from " + shown(here) + ":" + server.getLocalPort() + " -> " + each.remote());
        System.out.flush();
        threads.add(
            Thread.ofVirtual().start(() -> accept(daemon, server, name, each.remote())));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    return Main.FAILED;
  }

  private InetAddress address() {
    try {
      return InetAddress.getByName(address);
    } catch (UnknownHostException e) {
      throw new Failure("there is no address \"" + address + "\"", Main.USAGE);
    }
  }

  private static String shown(InetAddress address) {
    String text = address.getHostAddress();
    return text.indexOf(':') < 0 ? text : "[" + text + "]";
  }

  private static Ports ports(String word) {
    int colon = word.indexOf(':');
    String local = colon < 0 ? word : word.substring(0, colon);
    return new Ports(
        colon == 0 ? 0 : port(local, word), port(word.substring(colon + 1), word));
  }

  private static int port(String text, String word) {
    int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
    if (port < 1 || port > 65_535) {
      throw new Failure("\"" + word + "\" is not [LOCAL:]PORT", Main.USAGE);
    }
    return port;
  }

  private void accept(Daemon daemon, ServerSocket server, String name, int port) {
    while (true) {
      try {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> forward(daemon, socket, name, port));
      } catch (IOException e) {
        Main.complain("listening has ended: " + e.getMessage());
        return;
      }
    }
  }

  private void forward(Daemon daemon, Socket socket, String name, int port) {
    Duplex<PodForwardRequest, PodForwardResponse> call = new Duplex<>();
    try (socket) {
      daemon.podsAsync().portForward(call);
      PodForwardStart start =
          PodForwardStart.newBuilder()
              .setNamespace(in.namespace)
              .setName(name)
              .setPort(port)
              .build();
      call.send(PodForwardRequest.newBuilder().setStart(start).build());
      Thread.ofVirtual().start(() -> send(socket, call));
      for (Optional<PodForwardResponse> next = call.take();
          next.isPresent();
          next = call.take()) {
        next.get().getData().writeTo(socket.getOutputStream());
      }
    } catch (StatusRuntimeException e) {
      Main.complain("port " + port + ": " + e.getStatus().getDescription());
    } catch (IOException e) {
      call.cancel();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void send(Socket socket, Duplex<PodForwardRequest, PodForwardResponse> call) {
    byte[] buffer = new byte[CHUNK];
    try {
      for (int n = socket.getInputStream().read(buffer);
          n >= 0;
          n = socket.getInputStream().read(buffer)) {
        ByteString data = ByteString.copyFrom(buffer, 0, n);
        if (!call.send(PodForwardRequest.newBuilder().setData(data).build())) {
          return;
        }
      }
      call.send(PodForwardRequest.newBuilder().setClosed(true).build());
    } catch (IOException e) {
      call.cancel();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
