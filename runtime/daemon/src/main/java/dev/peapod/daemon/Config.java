package dev.peapod.daemon;

import dev.peapod.cri.streaming.StreamingConfig;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.cgroup.CgroupDriver;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The configuration of a daemon: valid, typed, complete. All paths are absolute.
///
/// @param root lasting state
/// @param state volatile state
/// @param socket where the public socket is made
/// @param logRoot where container logs of applied pods go
/// @param libexec directory of `pause` and `joiner`
/// @param bridge name of the default network's bridge
/// @param podCidr addresses of the default network
/// @param cniConfDir CNI network configurations
/// @param cniBinDir CNI plugins to execute
/// @param clusterDns where pods ask for names
/// @param clusterDomain that services and pods have their names in
/// @param cgroupDriver whose the machine's cgroups are
/// @param cgroupParent path of the cgroup of pods that name none
/// @param spares how many pod networks, and root filesystems of an image, are made ahead
/// @param registries registry configuration, which need not exist
/// @param streaming where the streaming server listens
/// @param shareProcessNamespace default for manifests that do not say
/// @param runtimeEndpoint socket of the CRI runtime that applied pods run on; empty: Peapod itself
/// @param manifestDir manifests that are kept applied, which need not exist
/// @param backOff first wait before a failing container is started again
/// @param backOffMax longest such wait
/// @param backOffReset how long a container must have run for its waits to begin anew
/// @param logLevel least severity that is reported
record Config(
    Path root,
    Path state,
    Path socket,
    Path logRoot,
    Path libexec,
    String bridge,
    String podCidr,
    Path cniConfDir,
    Path cniBinDir,
    DnsAddress clusterDns,
    String clusterDomain,
    CgroupDriver cgroupDriver,
    String cgroupParent,
    int spares,
    Path registries,
    StreamingConfig streaming,
    boolean shareProcessNamespace,
    Optional<Path> runtimeEndpoint,
    Path manifestDir,
    Duration backOff,
    Duration backOffMax,
    Duration backOffReset,
    Level logLevel) {
  /// Where the configuration is unless `--config` says otherwise.
  static final Path DEFAULT_FILE = Path.of("/etc/peapod/config.yaml");

  private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");
  private static final Pattern DOMAIN =
      Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*");
  private static final int LONGEST_DOMAIN = 100;
  private static final int LONGEST_SOCKET_PATH = 107;
  private static final int LONGEST_INTERFACE_NAME = 15;

  /// Gives types to settings.
  ///
  /// @param file the configuration file, there or not; its directory is where `registries.yaml` is looked for
  /// @throws PeapodException INVALID naming the flag or line of a value that can not be
  static Config of(Settings settings, Path file) {
    Path root = path(settings, Setting.ROOT);
    Path state = path(settings, Setting.STATE);
    if (root.equals(state)) {
      throw Settings.invalid(settings.get(Setting.STATE).origin(), "is the same as root: " + state);
    }
    return new Config(
        root,
        state,
        socket(settings, state),
        path(settings, Setting.LOG_ROOT),
        pathOr(settings, Setting.LIBEXEC, installation().resolve("libexec/peapod")),
        bridge(settings),
        text(settings, Setting.POD_CIDR),
        path(settings, Setting.CNI_CONF_DIR),
        path(settings, Setting.CNI_BIN_DIR),
        DnsAddress.of(settings),
        clusterDomain(settings),
        cgroupDriver(settings),
        cgroupParent(settings),
        spares(settings),
        pathOr(
            settings, Setting.REGISTRIES, file.toAbsolutePath().resolveSibling("registries.yaml")),
        streaming(settings),
        bool(settings, Setting.SHARE_PROCESS_NAMESPACE),
        runtimeEndpoint(settings),
        path(settings, Setting.MANIFEST_DIR),
        time(settings, Setting.BACK_OFF),
        time(settings, Setting.BACK_OFF_MAX),
        time(settings, Setting.BACK_OFF_RESET),
        level(settings));
  }

  /// Socket that shows the pods of `peapod apply` to `crictl`, for root alone.
  Path podsCriSocket() {
    return state.resolve("pods-cri.sock");
  }

  /// The installation's directory, as the launch script says; the working directory without one.
  private static Path installation() {
    return Path.of(System.getProperty("peapod.home", "")).toAbsolutePath().normalize();
  }

  private static Path socket(Settings settings, Path state) {
    Path socket = pathOr(settings, Setting.SOCKET, state.resolve("peapod.sock"));
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > LONGEST_SOCKET_PATH) {
      throw Settings.invalid(
          settings.get(Setting.SOCKET).origin(),
          "a socket's path has at most %d bytes, %s has %d"
              .formatted(LONGEST_SOCKET_PATH, socket, length));
    }
    return socket;
  }

  private static String bridge(Settings settings) {
    String name = text(settings, Setting.BRIDGE);
    if (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_INTERFACE_NAME
        || !name.matches("[A-Za-z0-9_.-]+")) {
      throw invalid(settings, Setting.BRIDGE, "not an interface name of at most 15 bytes");
    }
    return name;
  }

  private static String clusterDomain(Settings settings) {
    String domain = text(settings, Setting.CLUSTER_DOMAIN);
    // What stands before it in a name, and resolv.conf, want their room too.
    if (domain.length() > LONGEST_DOMAIN || !DOMAIN.matcher(domain).matches()) {
      throw invalid(
          settings,
          Setting.CLUSTER_DOMAIN,
          "not a domain of at most %d lower case letters, digits, dots and hyphens"
              .formatted(LONGEST_DOMAIN));
    }
    return domain;
  }

  private static CgroupDriver cgroupDriver(Settings settings) {
    return switch (text(settings, Setting.CGROUP_DRIVER)) {
      case "cgroupfs" -> CgroupDriver.CGROUPFS;
      case "systemd" -> CgroupDriver.SYSTEMD;
      default -> throw invalid(settings, Setting.CGROUP_DRIVER, "not one of cgroupfs, systemd");
    };
  }

  private static String cgroupParent(Settings settings) {
    CgroupDriver driver = cgroupDriver(settings);
    boolean byDefault = settings.get(Setting.CGROUP_PARENT).text().isEmpty();
    String given =
        switch (driver) {
          case CGROUPFS -> byDefault ? "/peapod" : text(settings, Setting.CGROUP_PARENT);
          case SYSTEMD -> byDefault ? "peapod.slice" : text(settings, Setting.CGROUP_PARENT);
        };
    if (driver == CgroupDriver.CGROUPFS
        && (!given.startsWith("/") || given.equals("/") || given.contains(".."))) {
      throw invalid(settings, Setting.CGROUP_PARENT, "not an absolute cgroup path below /");
    }
    try {
      return driver.path(given);
    } catch (PeapodException e) {
      throw invalid(settings, Setting.CGROUP_PARENT, String.valueOf(e.getMessage()));
    }
  }

  private static int spares(Settings settings) {
    String text = text(settings, Setting.SPARES);
    if (!text.matches("[0-9]{1,2}")) {
      throw invalid(settings, Setting.SPARES, "not a number from 0 to 99");
    }
    return Integer.parseInt(text);
  }

  private static StreamingConfig streaming(Settings settings) {
    String certificate = settings.get(Setting.STREAMING_TLS_CERT).text();
    String key = settings.get(Setting.STREAMING_TLS_KEY).text();
    if (certificate.isEmpty() != key.isEmpty()) {
      throw invalid(
          settings,
          certificate.isEmpty() ? Setting.STREAMING_TLS_KEY : Setting.STREAMING_TLS_CERT,
          "certificate and key go together");
    }
    return new StreamingConfig(
        streamingAddress(settings),
        certificate.isEmpty()
            ? Optional.empty()
            : Optional.of(
                new StreamingConfig.Tls(
                    path(settings, Setting.STREAMING_TLS_CERT),
                    path(settings, Setting.STREAMING_TLS_KEY))));
  }

  private static InetSocketAddress streamingAddress(Settings settings) {
    String text = text(settings, Setting.STREAMING_ADDRESS);
    int colon = text.lastIndexOf(':');
    try {
      // Literals only: a name could mean something else tomorrow.
      InetAddress address = InetAddress.ofLiteral(text.substring(0, Math.max(colon, 0)));
      return new InetSocketAddress(address, Integer.parseInt(text.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw invalid(settings, Setting.STREAMING_ADDRESS, "not an IP address and port, as 127.0.0.1:0");
    }
  }

  private static Level level(Settings settings) {
    return switch (text(settings, Setting.LOG_LEVEL).toLowerCase(Locale.ROOT)) {
      case "error" -> Level.ERROR;
      case "warning" -> Level.WARNING;
      case "info" -> Level.INFO;
      case "debug" -> Level.DEBUG;
      case "trace" -> Level.TRACE;
      default ->
          throw invalid(
              settings, Setting.LOG_LEVEL, "not one of error, warning, info, debug, trace");
    };
  }

  private static Optional<Path> runtimeEndpoint(Settings settings) {
    String text = settings.get(Setting.RUNTIME_ENDPOINT).text();
    if (text.isEmpty()) {
      return Optional.empty();
    }
    String path = text.startsWith("unix://") ? text.substring("unix://".length()) : text;
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw invalid(settings, Setting.RUNTIME_ENDPOINT, "not a unix socket, as unix:///run/FILE");
    }
    return Optional.of(Path.of(path).normalize());
  }

  private static Duration time(Settings settings, Setting setting) {
    Matcher matcher = TIME.matcher(text(settings, setting));
    if (!matcher.matches()) {
      throw invalid(settings, setting, "not a time, as 10s, 500ms, 5m or 1h");
    }
    long amount = Long.parseLong(matcher.group(1));
    Duration time =
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(amount);
          case "s" -> Duration.ofSeconds(amount);
          case "m" -> Duration.ofMinutes(amount);
          default -> Duration.ofHours(amount);
        };
    if (time.isZero()) {
      throw invalid(settings, setting, "must be more than nothing");
    }
    return time;
  }

  private static boolean bool(Settings settings, Setting setting) {
    return switch (text(settings, setting)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw invalid(settings, setting, "not true or false");
    };
  }

  private static Path path(Settings settings, Setting setting) {
    Path path = Path.of(text(settings, setting));
    // A relative path in a file has no place to be relative to; on the command line it has.
    if (!path.isAbsolute() && !settings.get(setting).origin().startsWith("--")) {
      throw invalid(settings, setting, "not an absolute path");
    }
    return path.toAbsolutePath().normalize();
  }

  private static Path pathOr(Settings settings, Setting setting, Path fallback) {
    return settings.get(setting).text().isEmpty() ? fallback : path(settings, setting);
  }

  private static String text(Settings settings, Setting setting) {
    String text = settings.get(setting).text();
    if (text.isEmpty() || text.indexOf('\0') >= 0) {
      throw invalid(settings, setting, "must be neither empty nor contain NUL");
    }
    return text;
  }

  private static PeapodException invalid(Settings settings, Setting setting, String problem) {
    Settings.Value value = settings.get(setting);
    return Settings.invalid(
        value.origin(), "%s \"%s\": %s".formatted(setting.key(), value.text(), problem));
  }
}
