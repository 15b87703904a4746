package dev.peapod.cri.streaming;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.KernelRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Tickets that wait to be redeemed, each once, within a minute. Thread-safe.
final class Tickets {
  static final Duration LIFE = Duration.ofMinutes(1);
  static final int MOST = 1000;

  private record Waiting(Ticket ticket, long until) {}

  private final LongSupplier nanos;

  // In the order of their issue, and so of their end.
  private final Map<String, Waiting> waiting = new LinkedHashMap<>();

  /// @param nanos a clock as System.nanoTime
  Tickets(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /// @return the token
  /// @throws PeapodException RESOURCE_EXHAUSTED if too many wait
  String issue(Ticket ticket) {
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(KernelRandom.bytes(24));
    synchronized (waiting) {
      expire();
      if (waiting.size() >= MOST) {
        throw new PeapodException(
            Kind.RESOURCE_EXHAUSTED, MOST + " streams were asked for and not begun; try again");
      }
      waiting.put(token, new Waiting(ticket, nanos.getAsLong() + LIFE.toNanos()));
    }
    return token;
  }

  /// The token's ticket, if it is good for this verb; it is good no more.
  Optional<Ticket> redeem(String verb, String token) {
    synchronized (waiting) {
      expire();
      Waiting found = waiting.get(token);
      if (found == null || !found.ticket.verb().equals(verb)) {
        return Optional.empty();
      }
      waiting.remove(token);
      return Optional.of(found.ticket);
    }
  }

  private void expire() {
    long now = nanos.getAsLong();
    Iterator<Waiting> oldest = waiting.values().iterator();
    while (oldest.hasNext() && oldest.next().until - now <= 0) {
      oldest.remove();
    }
  }
}
