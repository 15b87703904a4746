package dev.peapod.cni.plugin;

import dev.peapod.cni.host.Bridges;
import dev.peapod.cni.host.Host;
import dev.peapod.cni.host.PodLinks;
import dev.peapod.cni.host.PodNamespace;
import dev.peapod.cni.host.PortRules;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.netlink.IpPrefix;
import dev.peapod.linux.netlink.Link;
import dev.peapod.linux.netlink.LinkSettings;
import dev.peapod.linux.netlink.Links;
import dev.peapod.linux.netlink.MacAddress;
import dev.peapod.linux.netlink.Route;
import dev.peapod.linux.netlink.VethPair;
import java.net.Inet4Address;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/// Plugin `bridge`: connects the pod to a bridge of the host by a pair of links, and gives it
/// addresses and routes.
///
/// Keys: `bridge`, `isGateway`, `isDefaultGateway`, `ipMasq`, `hairpinMode`, `mtu`, and `ipam` for
/// the plugin that knows the addresses. IPv4.
public final class Bridge implements Plugin {
  static final String TYPE = "bridge";
  private static final Set<String> KEYS =
      Set.of(
          "type",
          "capabilities",
          "bridge",
          "isGateway",
          "isDefaultGateway",
          "ipMasq",
          "hairpinMode",
          "mtu",
          "ipam");
  private static final IpPrefix EVERYWHERE = IpPrefix.parse("0.0.0.0/0");
  private static final int MAX_NAME = 15;

  private final Host host;
  private final Bridges bridges;
  private final PortRules rules;
  private final Function<String, Plugin> plugins;

  /// @param plugins finds the plugin for addresses by its type
  public Bridge(
      Host host, Bridges bridges, PortRules rules, Function<String, Plugin> plugins) {
    this.host = host;
    this.bridges = bridges;
    this.rules = rules;
    this.plugins = plugins;
  }

  private record Settings(
      String bridge, boolean gateway, boolean defaultGateway, boolean masquerade, boolean hairpin,
      int mtu) {
    static Settings of(PluginConfig config) {
      boolean isDefault = config.keys().flag("isDefaultGateway");
      return new Settings(
          config.keys().optionalText("bridge").orElse("cni0"),
          isDefault || config.keys().flag("isGateway"),
          isDefault,
          config.keys().flag("ipMasq"),
          config.keys().flag("hairpinMode"),
          config.keys().number("mtu", 0));
    }
  }

  @Override
  public void validate(PluginConfig config) {
    config.keys().allowOnly(KEYS);
    Settings settings = Settings.of(config);
    if (settings.bridge().isEmpty() || settings.bridge().length() > MAX_NAME) {
      throw PeapodException.invalid(
          config.keys().where()
              + ": key \"bridge\" must have 1 to "
              + MAX_NAME
              + " characters");
    }
    ipam(config).validate(config);
  }

  @Override
  public CniResult add(PluginCall call) {
    Settings settings = Settings.of(call.config());
    CniResult leased = ipam(call.config()).add(call);
    CniResult.Ip ip = onlyIpv4(call, leased);
    IpPrefix address = ip.address();
    Optional<IpPrefix> gateway =
        ip.gateway()
            .filter(g -> settings.gateway())
            .map(g -> new IpPrefix(g, address.length()));
    if (settings.gateway() || settings.masquerade()) {
      String table = PortRules.table(settings.bridge());
      rules.ensure(table, address.network(), Optional.of(settings.masquerade()));
    }
    Link bridge = bridges.ensure(settings.bridge(), gateway, settings.mtu());
    String name = PodLinks.name(call.sandboxId(), call.interfaceName());
    MacAddress mac = Bridges.macOf((Inet4Address) address.address());
    PodNamespace pod = call.requirePod();
    connect(
        new VethPair(
            name,
            OptionalInt.of(bridge.index()),
            call.interfaceName(),
            pod.fd(),
            Optional.of(mac),
            settings.mtu()),
        settings.hairpin());
    // The pod that had the address before may still send, and no pod may take another's place.
    Link outside = host.route().links().find(name).orElseThrow(() -> missing(name));
    host.route().bridgeTable().place(mac, outside.index());
    configurePod(call, settings, ip, leased.routes());

    List<CniResult.Interface> interfaces =
        List.of(
            new CniResult.Interface(
                settings.bridge(),
                bridge.mac().map(MacAddress::toString).orElse(""),
                Optional.empty()),
            new CniResult.Interface(name, "", Optional.empty()),
            new CniResult.Interface(
                call.interfaceName(), mac.toString(), call.netns().map(Object::toString)));
    CniResult.Ip located = new CniResult.Ip(address, ip.gateway(), OptionalInt.of(2));
    return new CniResult(interfaces, List.of(located), leased.routes(), leased.dns());
  }

  @Override
  public void delete(PluginCall call) {
    if (!call.linksGo()) {
      host.route().links().delete(PodLinks.name(call.sandboxId(), call.interfaceName()));
    }
    ipam(call.config()).delete(call);
  }

  @Override
  public void check(PluginCall call) {
    Settings settings = Settings.of(call.config());
    Links links = host.route().links();
    String name = PodLinks.name(call.sandboxId(), call.interfaceName());
    Link bridge = links.find(settings.bridge()).orElseThrow(() -> missing(settings.bridge()));
    Link outside = links.find(name).orElseThrow(() -> missing(name));
    if (outside.master().orElse(0) != bridge.index() || !outside.up() || !bridge.up()) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "interface " + name + " or its bridge " + settings.bridge() + " is down or apart");
    }
    PodNamespace pod = call.requirePod();
    Link inside =
        pod.route()
            .links()
            .find(call.interfaceName())
            .orElseThrow(() -> missing(call.interfaceName()));
    List<IpPrefix> present = pod.route().addresses().of(inside.index());
    for (CniResult.Ip ip : call.previous().orElse(CniResult.EMPTY).ips()) {
      if (!present.contains(ip.address())) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "the pod's interface " + inside.name() + " has lost its address " + ip.address());
      }
    }
    ipam(call.config()).check(call);
  }

  private void connect(VethPair pair, boolean hairpin) {
    Links links = host.route().links();
    try {
      links.createVeth(pair);
    } catch (KernelException e) {
      if (e.errno() != Errno.EEXIST || links.find(pair.name()).isEmpty()) {
        throw e;
      }
      // Left from an attempt for the same sandbox that was cut short.
      links.delete(pair.name());
      links.createVeth(pair);
    }
    LinkSettings up = LinkSettings.NONE.withUp(true);
    links.change(pair.name(), hairpin ? up.withHairpin(true) : up);
  }

  private static void configurePod(
      PluginCall call, Settings settings, CniResult.Ip ip, List<CniResult.Route> routes) {
    PodNamespace pod = call.requirePod();
    Link link =
        pod.route()
            .links()
            .find(call.interfaceName())
            .orElseThrow(() -> missing(call.interfaceName()));
    pod.route().addresses().add(link.index(), ip.address());
    pod.route().links().change(call.interfaceName(), LinkSettings.NONE.withUp(true));
    boolean defaultGiven = routes.stream().anyMatch(r -> r.destination().equals(EVERYWHERE));
    if (settings.defaultGateway() && !defaultGiven) {
      pod.route().routes().add(new Route(EVERYWHERE, ip.gateway(), link.index()));
    }
    for (CniResult.Route route : routes) {
      pod.route()
          .routes()
          .add(
              new Route(
                  route.destination(), route.gateway().or(ip::gateway), link.index()));
    }
  }

  private CniResult.Ip onlyIpv4(PluginCall call, CniResult leased) {
    boolean fits =
        leased.ips().size() == 1
            && leased.ips().getFirst().address().address() instanceof Inet4Address;
    if (!fits) {
      throw new PeapodException(
          PeapodException.Kind.UNIMPLEMENTED,
          "network \""
              + call.config().network()
              + "\": plugin bridge gives a pod one IPv4 address, not "
              + leased.ips().stream().map(ip -> ip.address().toString()).toList());
    }
    return leased.ips().getFirst();
  }

  private Plugin ipam(PluginConfig config) {
    return plugins.apply(
        config
            .keys()
            .object("ipam")
            .orElseThrow(
                () ->
                    PeapodException.invalid(config.keys().where() + ": key \"ipam\" is missing"))
            .text("type"));
  }

  private static PeapodException missing(String link) {
    return new PeapodException(
        PeapodException.Kind.FAILED_PRECONDITION, "interface " + link + " is missing");
  }
}
