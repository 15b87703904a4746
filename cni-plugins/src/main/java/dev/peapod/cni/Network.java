package dev.peapod.cni;

import dev.peapod.cni.host.Bridges;
import dev.peapod.cni.host.Host;
import dev.peapod.cni.host.Leases;
import dev.peapod.cni.host.PodLinks;
import dev.peapod.cni.host.PodNamespace;
import dev.peapod.cni.host.PortRules;
import dev.peapod.cni.plugin.HostLocal;
import dev.peapod.cni.plugin.Loopback;
import dev.peapod.cni.plugin.PluginConfig;
import dev.peapod.cni.plugin.Plugins;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.netlink.IpPrefix;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// The pods' network on this host. Thread-safe; calls for one sandbox must not overlap.
///
/// State stands under `<state>/network/`: `results` (what each sandbox asked for and got), `leases`
/// (addresses), `host` (notes on bridges and tables that are ours). Everything is recorded there
/// before it is made.
public final class Network implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Network.class.getName());
  private static final String INTERFACE = "eth0";

  /// Held for reading by who attaches a pod, for writing by who changes the pods' range.
  private final ReentrantReadWriteLock range = new ReentrantReadWriteLock();

  private volatile NetworkList list;
  private final Path rangeFile;
  private final Path directory;
  private final Host host;
  private final Records records;
  private final Leases leases;
  private final PortRules rules;
  private final Bridges bridges;
  private final PortHolder holder;
  private final Plugins plugins;

  private Network(NetworkList list, Path state, PortHolder holder, Host host) {
    this.list = list;
    this.rangeFile = state.resolve("pod-cidr");
    this.directory = state.resolve("network");
    this.host = host;
    this.records = new Records(directory.resolve("results"));
    this.leases = new Leases(directory.resolve("leases"));
    this.rules = new PortRules(host, directory.resolve("host"));
    this.bridges = new Bridges(host, directory.resolve("host"));
    this.holder = holder;
    this.plugins = plugins(list.pluginPath());
    rules.whenMade(this::restorePorts);
  }

  /// Opens the network in the network namespace of this process. Changes nothing on the host until
  /// the first pod is attached.
  ///
  /// @param state the daemon's volatile state directory
  /// @throws PeapodException INVALID if a plugin of ours does not understand its configuration
  public static Network open(NetworkList list, Path state, PortHolder holder) {
    return open(list, state, holder, Host.here());
  }

  /// Opens the network on the given host, which is closed with it.
  ///
  /// @param state the daemon's volatile state directory
  /// @throws PeapodException INVALID if a plugin of ours does not understand its configuration
  public static Network open(NetworkList list, Path state, PortHolder holder, Host host) {
    Network network = new Network(list, state, holder, host);
    try {
      network.validate(list);
      network.rangeOfBefore().flatMap(list::withCidr).ifPresent(changed -> network.list = changed);
      return network;
    } catch (PeapodException e) {
      network.close();
      throw e;
    }
  }

  private void validate(NetworkList candidate) {
    for (PluginConfig config : candidate.plugins()) {
      plugins.find(config.type()).validate(config);
    }
  }

  /// Gives the pods of the built-in network other addresses from now on, and after restarts of the daemon. Networks
  /// that are configured by files say themselves where addresses come from; nothing is changed then.
  ///
  /// @param cidr an IPv4 network
  /// @return whether this is the built-in network
  /// @throws PeapodException INVALID if that is no such network, FAILED_PRECONDITION if a sandbox is attached and the
  ///     range is another than the present one
  public boolean changeRange(String cidr) {
    Optional<NetworkList> candidate = list.withCidr(cidr);
    if (candidate.isEmpty()) {
      return false;
    }
    if (cidr.indexOf(':') >= 0) {
      throw new PeapodException(
          PeapodException.Kind.UNIMPLEMENTED,
          "pods of the built-in network have IPv4 addresses only, so their range can not be " + cidr);
    }
    validate(candidate.get());
    range.writeLock().lock();
    try {
      if (candidate.get().json().equals(list.json())) {
        return true;
      }
      if (!records.isEmpty() || !leases.list().isEmpty()) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "the range of the pods' addresses can not become "
                + cidr
                + " while pods have addresses of another; remove them first");
      }
      shutdownIfUnused();
      Path written = Files.writeString(rangeFile.resolveSibling(".pod-cidr"), cidr);
      Files.move(written, rangeFile, StandardCopyOption.ATOMIC_MOVE);
      list = candidate.get();
      return true;
    } catch (IOException e) {
      throw PeapodException.internal(rangeFile + " can not be written: " + e, e);
    } finally {
      range.writeLock().unlock();
    }
  }

  /// The bridge's address on the built-in network, with the length of the pods' range; empty where files configure the
  /// network. The bridge need not be there yet.
  public Optional<IpPrefix> gateway() {
    return list.gateway();
  }

  private Optional<String> rangeOfBefore() {
    try {
      return Files.exists(rangeFile)
          ? Optional.of(Files.readString(rangeFile))
          : Optional.empty();
    } catch (IOException e) {
      throw PeapodException.internal(rangeFile + " can not be read: " + e, e);
    }
  }

  /// Gives a sandbox its network: `lo` up, then each plugin of the list. If one fails, all that was
  /// made is undone.
  ///
  /// @throws PeapodException with what failed, in one sentence; RESOURCE_EXHAUSTED if no address is
  ///     left, FAILED_PRECONDITION if a host port is taken, ALREADY_EXISTS if the sandbox is
  ///     attached
  public Attachment attach(AttachRequest request) {
    range.readLock().lock();
    try {
      return attachInRange(request);
    } finally {
      range.readLock().unlock();
    }
  }

  private Attachment attachInRange(AttachRequest request) {
    refuseDuplicates(request.portMappings());
    Records.Record record =
        new Records.Record(
            request.sandboxId(),
            request.netnsPath(),
            INTERFACE,
            args(request),
            request.portMappings(),
            list,
            Optional.empty());
    try (PodNamespace pod = PodNamespace.open(request.netnsPath())) {
      Loopback.up(pod);
      records.create(record);
      CniResult result = new PluginChain(plugins, record).add(pod);
      records.complete(request.sandboxId(), result);
      return attachment(INTERFACE, result);
    } catch (PluginChain.Undone e) {
      records.delete(request.sandboxId());
      throw e.reason();
    } catch (KernelException e) {
      throw PeapodException.internal(
          "sandbox " + request.sandboxId() + " gets no network: " + e.getMessage(), e);
    }
  }

  /// Whether all plugins are ours, so that a sandbox can be attached before it is known which pod it will be for.
  public boolean canAttachAhead() {
    return list.plugins().stream().allMatch(config -> plugins.isOurs(config.type()));
  }

  /// Gives host ports to a sandbox that was attached without any.
  ///
  /// @throws PeapodException as [#attach(AttachRequest)]; the sandbox is still attached then, and to be detached
  public void addPorts(String sandboxId, List<PortMapping> ports) {
    refuseDuplicates(ports);
    Records.Record without =
        records
            .read(sandboxId)
            .orElseThrow(
                () -> PeapodException.notFound("sandbox " + sandboxId + " is not attached"));
    Records.Record record =
        new Records.Record(
            without.sandboxId(),
            without.netns(),
            without.interfaceName(),
            without.args(),
            ports,
            without.list(),
            without.result());
    records.replace(record);
    try {
      chain(record).addPorts();
    } catch (KernelException e) {
      throw PeapodException.internal(
          "sandbox " + sandboxId + " gets no host ports: " + e.getMessage(), e);
    }
  }

  /// Takes back what the sandbox was given. Succeeds if there is nothing left to take. The pod's
  /// link is not waited for: it goes with its namespace.
  ///
  /// @throws PeapodException telling every step that failed; what is left is still recorded, so it
  ///     can be tried again
  public void detach(String sandboxId) {
    AttachRequest.requireId(sandboxId);
    records.read(sandboxId).ifPresent(record -> detach(record, true));
  }

  /// What an attached sandbox was given, as recorded; empty if it is not attached.
  public Optional<Attachment> attachment(String sandboxId) {
    return records
        .read(sandboxId)
        .flatMap(record -> record.result().map(r -> attachment(record.interfaceName(), r)));
  }

  /// Verifies that what the sandbox was given is still there.
  ///
  /// @throws PeapodException NOT_FOUND if it is not attached, otherwise naming what is missing
  public void check(String sandboxId) {
    Records.Record record =
        records
            .read(sandboxId)
            .filter(r -> r.result().isPresent())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        "sandbox " + sandboxId + " is not attached to the network"));
    if (!record.list().checkDisabled()) {
      try (PodNamespace pod = PodNamespace.open(record.netns())) {
        chain(record).check(pod);
      }
    }
  }

  /// Removes what belongs to sandboxes that are not among the living, and nothing else. For the
  /// daemon's start. What can not be removed is logged and stays recorded.
  public void reconcile(Set<String> liveSandboxIds) {
    Set<String> remaining = new HashSet<>(liveSandboxIds);
    for (Records.Record record : records.all()) {
      if (!liveSandboxIds.contains(record.sandboxId())) {
        try {
          detach(record, false);
        } catch (PeapodException e) {
          remaining.add(record.sandboxId());
          LOG.log(System.Logger.Level.WARNING, e.getMessage());
        }
      }
    }
    for (Leases.Lease lease : leases.list()) {
      String sandbox = HostLocal.sandboxOf(lease.owner());
      if (!remaining.contains(sandbox)) {
        host.route().links().delete(PodLinks.name(sandbox, INTERFACE));
        leases.free(lease.network(), lease.address(), lease.owner());
        holder.release(sandbox);
      }
    }
    plugins.portMap().deleteAllBut(remaining);
  }

  /// Leaves the host as it was before the first pod (bridge, rules, forwarding), if no sandbox is
  /// attached.
  public void shutdownIfUnused() {
    if (!records.isEmpty() || !leases.list().isEmpty()) {
      return;
    }
    rules.remove();
    bridges.remove();
    leases.removeIfEmpty();
    records.removeDirectory();
    for (Path empty : List.of(directory.resolve("host"), directory)) {
      try {
        Files.deleteIfExists(empty);
      } catch (DirectoryNotEmptyException e) {
        LOG.log(System.Logger.Level.DEBUG, "{0} is not empty", empty);
      } catch (IOException e) {
        throw PeapodException.internal(empty + " can not be removed", e);
      }
    }
  }

  /// Closes what this object has open; changes nothing on the host.
  @Override
  public void close() {
    host.close();
  }

  private void detach(Records.Record record, boolean linksGo) {
    List<String> failures = chain(record).delete(linksGo);
    if (!failures.isEmpty()) {
      throw new PeapodException(
          PeapodException.Kind.INTERNAL,
          "the network of sandbox "
              + record.sandboxId()
              + " can not be taken down: "
              + String.join("; ", failures));
    }
    records.delete(record.sandboxId());
  }

  private void restorePorts(String table) {
    for (Records.Record record : records.all()) {
      chain(record).portMapCalls().forEach(call -> plugins.portMap().restore(call, table));
    }
  }

  private PluginChain chain(Records.Record record) {
    boolean same = record.list().pluginPath().equals(list.pluginPath());
    return new PluginChain(same ? plugins : plugins(record.list().pluginPath()), record);
  }

  private Plugins plugins(List<Path> path) {
    return new Plugins(host, bridges, rules, leases, holder, path);
  }

  private static void refuseDuplicates(List<PortMapping> ports) {
    Set<String> seen = new HashSet<>();
    for (PortMapping mapping : ports) {
      if (!seen.add(mapping.hostText())) {
        throw PeapodException.invalid("host port " + mapping.hostText() + " is asked for twice");
      }
    }
  }

  private static String args(AttachRequest request) {
    return "IgnoreUnknown=1;K8S_POD_NAMESPACE="
        + request.namespace()
        + ";K8S_POD_NAME="
        + request.name()
        + ";K8S_POD_INFRA_CONTAINER_ID="
        + request.sandboxId()
        + ";K8S_POD_UID="
        + request.uid();
  }

  private static Attachment attachment(String interfaceName, CniResult result) {
    List<String> ips = new ArrayList<>();
    for (CniResult.Ip ip : result.ips()) {
      if (!ip.address().address().isLoopbackAddress()) {
        ips.add(ip.address().address().getHostAddress());
      }
    }
    return new Attachment(
        interfaceName,
        result.interfaces().stream()
            .filter(link -> link.sandbox().isPresent() && link.name().equals(interfaceName))
            .map(CniResult.Interface::mac)
            .findFirst()
            .orElse(""),
        ips,
        result.ips().stream()
            .flatMap(ip -> ip.gateway().stream())
            .map(gateway -> gateway.getHostAddress())
            .findFirst(),
        result.interfaces().stream()
            .filter(link -> link.sandbox().isEmpty())
            .map(CniResult.Interface::name)
            .filter(PodLinks::isOurs)
            .findFirst());
  }
}
