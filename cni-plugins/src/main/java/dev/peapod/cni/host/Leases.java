package dev.peapod.cni.host;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Which address belongs to whom. Thread-safe, also between processes.
///
/// A lease is a symbolic link `<directory>/<network>/<address>` whose target is the owner's id:
/// made in one step, exclusively and never half-written. Beside them `.last` tells where to go on
/// searching, so that an address that was just freed is the last to be used again.
public final class Leases {
  private static final String LAST = ".last";
  private static final int LAST_LENGTH = 45;

  private final Path directory;

  /// @param directory made when needed
  public Leases(Path directory) {
    this.directory = directory;
  }

  /// A run of addresses.
  ///
  /// @param subnet the network they belong to
  /// @param first the first one that may be leased
  /// @param last the last one that may be leased
  /// @param gateway never leased
  public record Range(
      IpPrefix subnet, InetAddress first, InetAddress last, InetAddress gateway) {
    @Override
    public String toString() {
      return first.getHostAddress() + "-" + last.getHostAddress();
    }

    private boolean contains(BigInteger number) {
      return IpPrefix.number(first).compareTo(number) <= 0
          && number.compareTo(IpPrefix.number(last)) <= 0;
    }
  }

  /// A lease that is there.
  public record Lease(String network, InetAddress address, String owner) {}

  /// Leases the next free address.
  ///
  /// @throws PeapodException RESOURCE_EXHAUSTED naming the range if all are taken
  public InetAddress take(String network, Range range, String owner) {
    Path leases = directory.resolve(network);
    int bits = IpPrefix.bits(range.first());
    BigInteger first = IpPrefix.number(range.first());
    BigInteger end = IpPrefix.number(range.last()).add(BigInteger.ONE);
    BigInteger start = last(leases, range).map(n -> n.add(BigInteger.ONE)).orElse(first);
    BigInteger next = start.equals(end) ? first : start;
    BigInteger stop = next;
    Optional<Set<String>> taken = Optional.empty();
    do {
      InetAddress address = IpPrefix.address(next, bits);
      if (!address.equals(range.gateway())
          && taken.map(names -> !names.contains(address.getHostAddress())).orElse(true)) {
        if (create(leases, address, owner)) {
          remember(leases, address);
          return address;
        }
        // Only a first clash makes it worth while to know them all.
        taken = taken.or(() -> Optional.of(names(leases)));
      }
      next = next.add(BigInteger.ONE);
      next = next.equals(end) ? first : next;
    } while (!next.equals(stop));
    throw new PeapodException(
        PeapodException.Kind.RESOURCE_EXHAUSTED,
        "network \""
            + network
            + "\" has no free address left in "
            + range
            + "; remove pods or give the network a larger range");
  }

  /// Frees an address if the owner has it; does nothing otherwise.
  public void free(String network, InetAddress address, String owner) {
    Path lease = directory.resolve(network).resolve(address.getHostAddress());
    if (owner(lease).equals(Optional.of(owner))) {
      delete(lease);
    }
  }

  /// Frees all addresses of the owner in a network.
  public void freeAll(String network, String owner) {
    list(network).stream()
        .filter(lease -> lease.owner().equals(owner))
        .forEach(lease -> free(network, lease.address(), owner));
  }

  /// Whether the owner has the address.
  public boolean has(String network, InetAddress address, String owner) {
    Path lease = directory.resolve(network).resolve(address.getHostAddress());
    return owner(lease).equals(Optional.of(owner));
  }

  /// The leases of all networks.
  public List<Lease> list() {
    List<Lease> all = new ArrayList<>();
    names(directory).forEach(network -> all.addAll(list(network)));
    return all;
  }

  /// Removes the directories if there is no lease in them.
  public void removeIfEmpty() {
    if (list().isEmpty()) {
      for (String network : names(directory)) {
        delete(directory.resolve(network).resolve(LAST));
        delete(directory.resolve(network));
      }
      delete(directory);
    }
  }

  private List<Lease> list(String network) {
    Path leases = directory.resolve(network);
    List<Lease> found = new ArrayList<>();
    for (String name : names(leases)) {
      Optional<String> owner = owner(leases.resolve(name));
      if (owner.isPresent()) {
        try {
          found.add(new Lease(network, InetAddress.ofLiteral(name), owner.get()));
        } catch (IllegalArgumentException e) {
          // Not one of ours.
        }
      }
    }
    return found;
  }

  private static boolean create(Path leases, InetAddress address, String owner) {
    Path lease = leases.resolve(address.getHostAddress());
    try {
      try {
        Files.createSymbolicLink(lease, Path.of(owner));
      } catch (NoSuchFileException e) {
        PrivateDirectories.make(leases);
        Files.createSymbolicLink(lease, Path.of(owner));
      }
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      throw PeapodException.internal("the address lease " + lease + " can not be made", e);
    }
  }

  private static Optional<String> owner(Path lease) {
    try {
      return Optional.of(Files.readSymbolicLink(lease).toString());
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  private static Optional<BigInteger> last(Path leases, Range range) {
    try {
      String text = Files.readString(leases.resolve(LAST), StandardCharsets.US_ASCII);
      return Optional.of(IpPrefix.number(InetAddress.ofLiteral(text.strip())))
          .filter(range::contains);
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static void remember(Path leases, InetAddress address) {
    String text = String.format("%-" + LAST_LENGTH + "s%n", address.getHostAddress());
    try {
      // Overwritten in place: after a truncation some filesystems write the file out at once.
      Files.writeString(
          leases.resolve(LAST), text, StandardCharsets.US_ASCII, CREATE, WRITE);
    } catch (IOException e) {
      delete(leases.resolve(address.getHostAddress()));
      throw PeapodException.internal("the last address can not be noted in " + leases, e);
    }
  }

  private static Set<String> names(Path in) {
    if (!Files.isDirectory(in)) {
      return Set.of();
    }
    try (Stream<Path> files = Files.list(in)) {
      Set<String> names = new HashSet<>();
      files.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    } catch (IOException e) {
      throw PeapodException.internal(in + " can not be listed", e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw PeapodException.internal(file + " can not be removed", e);
    }
  }
}
