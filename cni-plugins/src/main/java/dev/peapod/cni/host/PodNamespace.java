package dev.peapod.cni.host;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Open;
import dev.peapod.linux.netlink.NetlinkSocket;
import dev.peapod.linux.netlink.Rtnetlink;
import java.nio.file.Path;

/// A handle on a pod's network namespace: its descriptor and a netlink socket that was opened
/// inside. Thread-safe.
public final class PodNamespace implements AutoCloseable {
  private final Fd fd;
  private final Rtnetlink route;

  private PodNamespace(Fd fd, Rtnetlink route) {
    this.fd = fd;
    this.route = route;
  }

  /// Enters the namespace once, on a thread of its own. On the way, links that are made in it from
  /// now on are told to ignore router advertisements: any pod could send them (CVE-2020-10749).
  ///
  /// @param netns a file that stands for the namespace
  /// @throws PeapodException NOT_FOUND if there is no such namespace
  public static PodNamespace open(Path netns) {
    Fd fd;
    try {
      fd = Fd.open(netns.toString(), Open.RDONLY);
    } catch (KernelException e) {
      throw new PeapodException(
          PeapodException.Kind.NOT_FOUND,
          "the pod's network namespace can not be opened: " + e.getMessage(),
          e);
    }
    try {
      NetlinkSocket socket =
          Namespaces.within(
              fd,
              () -> {
                Sysctls.write("ipv6/conf/default/accept_ra", "0");
                return NetlinkSocket.open(NetlinkSocket.ROUTE);
              });
      return new PodNamespace(fd, new Rtnetlink(socket));
    } catch (Exception e) {
      fd.close();
      throw PeapodException.internal(
          "the pod's network namespace " + netns + " can not be entered: " + e.getMessage(), e);
    }
  }

  /// The namespace's descriptor.
  public Fd fd() {
    return fd;
  }

  /// Its links, addresses and routes.
  public Rtnetlink route() {
    return route;
  }

  @Override
  public void close() {
    route.close();
    fd.close();
  }
}
