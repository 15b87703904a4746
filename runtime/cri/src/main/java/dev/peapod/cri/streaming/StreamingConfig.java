package dev.peapod.cri.streaming;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/// Where the streaming server listens.
///
/// @param address port 0: one that is free, chosen when it is first needed
/// @param tls a certificate chain and its key, both PEM; without them plain HTTP is spoken
public record StreamingConfig(InetSocketAddress address, Optional<Tls> tls) {
  /// PEM files.
  public record Tls(Path certificate, Path key) {}
}
