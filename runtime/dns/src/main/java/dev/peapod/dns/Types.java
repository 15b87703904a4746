package dev.peapod.dns;

/// Numbers of record types (RFC 1035, 3596, 2782).
public final class Types {
  public static final int A = 1;
  public static final int CNAME = 5;
  public static final int SOA = 6;
  public static final int PTR = 12;
  public static final int TXT = 16;
  public static final int AAAA = 28;
  public static final int SRV = 33;

  /// Asks for all that there is, of which an answer may be any part (RFC 8482).
  public static final int ANY = 255;

  static final int OPT = 41;

  /// The first of those that ask for something else than records: whole zones.
  static final int TRANSFERS = 251;

  private Types() {}
}
