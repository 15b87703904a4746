package dev.peapod.cni.host;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Open;
import dev.peapod.linux.netlink.NetlinkSocket;
import dev.peapod.linux.netlink.Rtnetlink;
import dev.peapod.linux.nft.Conntrack;
import dev.peapod.linux.nft.NftScript;
import dev.peapod.linux.nft.Nftables;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

/// The network namespace that plays the host: that of this process, or another one. Thread-safe.
public final class Host implements AutoCloseable {
  private final Optional<Fd> namespace;
  private final List<String> commandPrefix;
  private final Rtnetlink route;
  private final Nftables nft;

  private Host(Optional<Fd> namespace, List<String> commandPrefix) {
    this.namespace = namespace;
    this.commandPrefix = commandPrefix;
    this.route = new Rtnetlink(within(() -> NetlinkSocket.open(NetlinkSocket.ROUTE)));
    this.nft = new Nftables(within(() -> NetlinkSocket.open(NetlinkSocket.NETFILTER)));
  }

  /// The network namespace of this process.
  public static Host here() {
    return new Host(Optional.empty(), List.of());
  }

  /// The network namespace that the file stands for.
  ///
  /// @throws KernelException if it can not be entered
  public static Host at(Path netns) {
    return new Host(
        Optional.of(Fd.open(netns.toString(), Open.RDONLY)),
        List.of("nsenter", "--net=" + netns, "--"));
  }

  /// Its links, addresses and routes.
  public Rtnetlink route() {
    return route;
  }

  /// Its nftables.
  public Nftables nft() {
    return nft;
  }

  /// The connections that its netfilter remembers; for the caller to close.
  public Conntrack conntrack() {
    return new Conntrack(within(() -> NetlinkSocket.open(NetlinkSocket.NETFILTER)));
  }

  /// What a command line begins with that is to run on this host; empty if it need not begin with
  /// anything.
  public List<String> commandPrefix() {
    return commandPrefix;
  }

  /// Runs a script of `nft` on this host, as [NftScript#run(List, String)] does.
  public void script(String script) {
    NftScript.run(commandPrefix, script);
  }

  /// The value of a setting below `/proc/sys/net`, such as `ipv4/ip_forward`; empty if there is no
  /// such setting.
  public Optional<String> sysctl(String name) {
    return within(() -> Sysctls.read(name));
  }

  /// Sets a setting below `/proc/sys/net`; does nothing if there is no such setting.
  public void sysctl(String name, String value) {
    within(
        () -> {
          Sysctls.write(name, value);
          return name;
        });
  }

  @Override
  public void close() {
    route.close();
    nft.close();
    namespace.ifPresent(Fd::close);
  }

  private <T> T within(Callable<T> work) {
    try {
      return namespace.isEmpty() ? work.call() : Namespaces.within(namespace.get(), work);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw PeapodException.internal("the host's network namespace can not be entered", e);
    }
  }
}
