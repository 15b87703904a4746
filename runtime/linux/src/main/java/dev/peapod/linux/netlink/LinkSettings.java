package dev.peapod.linux.netlink;

import java.util.Optional;
import java.util.OptionalInt;

/// What is to be changed of a link; what is empty stays as it is.
///
/// @param up whether it is administratively up
/// @param mac its hardware address
/// @param mtu the largest packet in bytes
/// @param master the index of the bridge it becomes a port of, 0 for none
/// @param hairpin whether, as a bridge's port, it may send a packet back to where it came from
/// @param alias free text, shown by `ip link`
public record LinkSettings(
    Optional<Boolean> up,
    Optional<MacAddress> mac,
    OptionalInt mtu,
    OptionalInt master,
    Optional<Boolean> hairpin,
    Optional<String> alias) {
  /// Nothing to change.
  public static final LinkSettings NONE =
      new LinkSettings(
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty());

  /// The same, and the link goes up or down.
  public LinkSettings withUp(boolean value) {
    return new LinkSettings(Optional.of(value), mac, mtu, master, hairpin, alias);
  }

  /// The same with a hardware address.
  public LinkSettings withMac(MacAddress value) {
    return new LinkSettings(up, Optional.of(value), mtu, master, hairpin, alias);
  }

  /// The same with an MTU in bytes.
  public LinkSettings withMtu(int value) {
    return new LinkSettings(up, mac, OptionalInt.of(value), master, hairpin, alias);
  }

  /// The same as a port of the bridge with that index, 0 for none.
  public LinkSettings withMaster(int value) {
    return new LinkSettings(up, mac, mtu, OptionalInt.of(value), hairpin, alias);
  }

  /// The same with a bridge port's hairpin flag.
  public LinkSettings withHairpin(boolean value) {
    return new LinkSettings(up, mac, mtu, master, Optional.of(value), alias);
  }

  /// The same with an alias.
  public LinkSettings withAlias(String value) {
    return new LinkSettings(up, mac, mtu, master, hairpin, Optional.of(value));
  }
}
