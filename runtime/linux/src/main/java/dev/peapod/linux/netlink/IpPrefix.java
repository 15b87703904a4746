package dev.peapod.linux.netlink;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;

/// An IP address with the length of its network's prefix, IPv4 or IPv6.
///
/// @param address the address, which may have bits beyond the prefix
/// @param length the prefix's length in bits
public record IpPrefix(InetAddress address, int length) {
  /// @throws IllegalArgumentException if the length does not fit the address
  public IpPrefix {
    if (length < 0 || length > bits(address)) {
      throw new IllegalArgumentException(
          "a prefix of " + length + " bits does not fit " + address.getHostAddress());
    }
  }

  /// Reads the form `10.88.0.1/16`; never asks a name service.
  ///
  /// @throws IllegalArgumentException if it is not of that form
  public static IpPrefix parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("\"" + text + "\" lacks a prefix length such as /16");
    }
    try {
      int length = Integer.parseInt(text.substring(slash + 1));
      return new IpPrefix(InetAddress.ofLiteral(text.substring(0, slash)), length);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("\"" + text + "\" has no valid prefix length", e);
    }
  }

  /// How many bits an address of this family has.
  public static int bits(InetAddress address) {
    return address.getAddress().length * 8;
  }

  /// The address as a number.
  public static BigInteger number(InetAddress address) {
    return new BigInteger(1, address.getAddress());
  }

  /// The address of a family that is the given number.
  ///
  /// @param bits 32 or 128
  /// @throws IllegalArgumentException if the number is out of range
  public static InetAddress address(BigInteger number, int bits) {
    if (number.signum() < 0 || number.bitLength() > bits) {
      throw new IllegalArgumentException(number + " is not an address of " + bits + " bits");
    }
    byte[] bytes = new byte[bits / 8];
    byte[] digits = number.toByteArray();
    int count = Math.min(digits.length, bytes.length);
    System.arraycopy(digits, digits.length - count, bytes, bytes.length - count, count);
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(number + " is not an address of " + bits + " bits", e);
    }
  }

  /// The network: this prefix with all bits beyond the prefix zero.
  public IpPrefix network() {
    int host = bits(address) - length;
    BigInteger number = number(address).shiftRight(host).shiftLeft(host);
    return new IpPrefix(address(number, bits(address)), length);
  }

  /// The first address of the network behind its own.
  public InetAddress first() {
    return address(number(network().address).add(BigInteger.ONE), bits(address));
  }

  /// The last address of the network, which in IPv4 is its broadcast address.
  public InetAddress last() {
    int host = bits(address) - length;
    BigInteger mask = BigInteger.ONE.shiftLeft(host).subtract(BigInteger.ONE);
    return address(number(address).or(mask), bits(address));
  }

  /// Whether an address is in the network; never so for one of the other family.
  public boolean contains(InetAddress other) {
    return bits(other) == bits(address)
        && number(other).xor(number(address)).shiftRight(bits(address) - length).signum() == 0;
  }

  /// The form that [#parse(String)] reads.
  @Override
  public String toString() {
    return address.getHostAddress() + "/" + length;
  }
}
