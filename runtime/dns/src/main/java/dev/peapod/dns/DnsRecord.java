package dev.peapod.dns;

import java.net.Inet4Address;
import java.net.InetAddress;

/// A resource record of class IN.
public sealed interface DnsRecord {
  /// Whose it is.
  Name owner();

  /// The number of its type, as [Types] has them.
  int type();

  /// A or AAAA.
  record Address(Name owner, InetAddress address) implements DnsRecord {
    @Override
    public int type() {
      return address instanceof Inet4Address ? Types.A : Types.AAAA;
    }
  }

  /// CNAME: what is asked of the owner is to be asked of the target.
  record Alias(Name owner, Name target) implements DnsRecord {
    @Override
    public int type() {
      return Types.CNAME;
    }
  }

  /// PTR.
  record Pointer(Name owner, Name target) implements DnsRecord {
    @Override
    public int type() {
      return Types.PTR;
    }
  }

  /// SRV (RFC 2782).
  record Server(Name owner, int priority, int weight, int port, Name target)
      implements DnsRecord {
    @Override
    public int type() {
      return Types.SRV;
    }
  }

  /// TXT of one string of at most 255 bytes.
  record Text(Name owner, String text) implements DnsRecord {
    @Override
    public int type() {
      return Types.TXT;
    }
  }

  /// SOA of a zone whose answers, also those that something is not there, are good for so many seconds.
  record Authority(Name owner, int seconds) implements DnsRecord {
    @Override
    public int type() {
      return Types.SOA;
    }
  }
}
