package dev.peapod.cni.plugin;

import dev.peapod.cni.host.PodNamespace;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.Link;
import dev.peapod.linux.netlink.LinkSettings;
import java.util.Set;

/// Plugin `loopback`: sets the pod's `lo` up, and the kernel gives it its addresses.
public final class Loopback implements Plugin {
  static final String TYPE = "loopback";
  private static final Set<String> KEYS = Set.of("type", "capabilities");

  @Override
  public void validate(PluginConfig config) {
    config.keys().allowOnly(KEYS);
  }

  @Override
  public CniResult add(PluginCall call) {
    up(call.requirePod());
    return call.previous().orElse(CniResult.EMPTY);
  }

  /// Sets `lo` of a namespace up.
  public static void up(PodNamespace pod) {
    pod.route().links().change("lo", LinkSettings.NONE.withUp(true));
  }

  @Override
  public void delete(PluginCall call) {
    // A namespace that stays may keep its lo up.
  }

  @Override
  public void check(PluginCall call) {
    if (!call.requirePod().route().links().find("lo").map(Link::up).orElse(false)) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION, "the pod's interface lo is down");
    }
  }
}
