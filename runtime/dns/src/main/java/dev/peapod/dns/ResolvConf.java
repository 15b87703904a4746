package dev.peapod.dns;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A machine's resolver configuration, resolv.conf(5).
///
/// @param servers addresses, at most three
/// @param searches what names are tried with
public record ResolvConf(List<String> servers, List<String> searches, List<String> options) {
  private static final Path HOST = Path.of("/etc/resolv.conf");

  /// What systemd-resolved writes for those that can not reach its stub.
  private static final Path RESOLVED = Path.of("/run/systemd/resolve/resolv.conf");

  private static final String STUB = "127.0.0.53";
  private static final int MOST_SERVERS = 3;

  public ResolvConf {
    servers = List.copyOf(servers);
    searches = List.copyOf(searches);
    options = List.copyOf(options);
  }

  /// That of this machine, as kubelets pass it on: where systemd-resolved serves programs by a stub, the servers behind
  /// it. Read anew each time; empty where there is none.
  public static ResolvConf ofHost() {
    return of(HOST, RESOLVED);
  }

  static ResolvConf of(Path host, Path resolved) {
    ResolvConf conf = parse(lines(host));
    return conf.servers.contains(STUB) && Files.exists(resolved) ? parse(lines(resolved)) : conf;
  }

  static ResolvConf parse(List<String> lines) {
    List<String> servers = new ArrayList<>();
    List<String> searches = new ArrayList<>();
    List<String> options = new ArrayList<>();
    for (String line : lines) {
      List<String> words = List.of(line.strip().split("\\s+"));
      List<String> values = words.subList(1, words.size());
      switch (words.getFirst()) {
        case "nameserver" -> servers.addAll(values.subList(0, Math.min(1, values.size())));
        case "search" -> {
          searches.clear();
          searches.addAll(values);
        }
        case "options" -> options.addAll(values);
        default -> {}
      }
    }
    return new ResolvConf(
        servers.subList(0, Math.min(MOST_SERVERS, servers.size())), searches, options);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
