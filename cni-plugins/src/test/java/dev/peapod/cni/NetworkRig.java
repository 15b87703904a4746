package dev.peapod.cni;

import dev.peapod.cni.host.Host;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A host in a namespace of its own, a machine outside that is connected to it, and the network
/// under test.
///
/// The host is 192.0.2.1, the outside 192.0.2.9; pods are in 10.231.0.0/24 on the bridge `peanet0`.
final class NetworkRig implements AutoCloseable {
  static final NetworkDefaults DEFAULTS =
      new NetworkDefaults("peanet", "peanet0", "10.231.0.0/24", 0);
  static final String GATEWAY = "10.231.0.1";
  static final String HOST = "192.0.2.1";
  static final String TABLE = "peapod-peanet0";

  final ScratchNamespace host;
  final ScratchNamespace outside;
  final ListeningHolder holder;
  final Path state;
  private final List<AutoCloseable> pods = new ArrayList<>();
  Network network;

  NetworkRig(Path state) throws Exception {
    this(state, NetworkList.builtIn(Path.of("/nowhere"), DEFAULTS));
  }

  NetworkRig(Path state, NetworkList list) throws Exception {
    this.state = state;
    host = ScratchNamespace.create();
    outside = ScratchNamespace.create();
    host.connect(outside, "lan0", HOST + "/24", "lan0", "192.0.2.9/24");
    holder = new ListeningHolder(host);
    network = open(list);
  }

  /// Opens the network again, as another daemon would after a crash.
  void restart() {
    network.close();
    network = open(NetworkList.builtIn(Path.of("/nowhere"), DEFAULTS));
  }

  Network open(NetworkList list) {
    return Network.open(list, state, holder, Host.at(host.path()));
  }

  ScratchNamespace pod() throws Exception {
    ScratchNamespace pod = ScratchNamespace.create();
    pods.add(pod);
    return pod;
  }

  Attachment attach(String id, ScratchNamespace pod, PortMapping... ports) {
    return network.attach(request(id, pod, ports));
  }

  void detach(String id) {
    network.detach(id);
  }

  static AttachRequest request(String id, ScratchNamespace pod, PortMapping... ports) {
    return new AttachRequest(id, "default", id, "uid-" + id, pod.path(), List.of(ports));
  }

  static PortMapping tcp(int hostPort, int containerPort) {
    return new PortMapping(Protocol.TCP, containerPort, hostPort, "");
  }

  @Override
  public void close() throws Exception {
    network.close();
    for (AutoCloseable pod : pods) {
      pod.close();
    }
    outside.close();
    host.close();
  }
}
