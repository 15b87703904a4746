package dev.peapod.dns;

import dev.peapod.dns.MessageWriter.Contents;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Answers what is asked: of the zone at once, of anything else when other servers have answered. Thread-safe.
final class Resolver {
  private static final Logger LOG = System.getLogger(Resolver.class.getName());

  /// Questions that wait for other servers: all of them, and those of one who asks.
  private static final int MOST_PENDING = 512;
  private static final int MOST_PENDING_OF_ONE = 128;

  /// How often a name may be another's.
  private static final int LONGEST_CHAIN = 8;

  private final Zone zone;
  private final Forwarder forwarder;
  private final Quota pending;

  Resolver(Zone zone, Forwarder forwarder) {
    this(zone, forwarder, new Quota(MOST_PENDING, MOST_PENDING_OF_ONE));
  }

  Resolver(Zone zone, Forwarder forwarder, Quota pending) {
    this.zone = zone;
    this.forwarder = forwarder;
    this.pending = pending;
  }

  /// Answers a message, at once or later, once or, where it is none that can be answered, never.
  ///
  /// @param message whatever came; nobody may change it
  /// @param stream whether it came by TCP
  /// @param reply may be called on another thread
  void answer(byte[] message, boolean stream, InetAddress asker, Consumer<byte[]> reply) {
    if (!Query.isOne(message)) {
      return;
    }
    if (Query.opcode(message) != 0) {
      reply.accept(MessageWriter.headerOnly(message, Codes.NOT_IMPLEMENTED));
      return;
    }
    Query query;
    try {
      query = Query.parse(message);
    } catch (MalformedMessage e) {
      reply.accept(MessageWriter.headerOnly(message, Codes.MALFORMED));
      return;
    }
    int limit = query.limit(stream);
    Optional<Integer> refusal = refusal(query);
    if (refusal.isPresent()) {
      reply.accept(write(query, Contents.of(refusal.get()), limit));
      return;
    }
    try {
      local(query, stream, asker, reply, limit);
    } catch (RuntimeException e) {
      LOG.log(Logger.Level.WARNING, "can not answer what " + query.name() + " is: " + e, e);
      reply.accept(write(query, Contents.of(Codes.FAILED), limit));
    }
  }

  private static Optional<Integer> refusal(Query query) {
    if (query.edns().filter(edns -> edns.version() != 0).isPresent()) {
      return Optional.of(Codes.BAD_VERSION);
    }
    boolean transfer = query.type() >= Types.TRANSFERS && query.type() < Types.ANY;
    return transfer || !query.isOfTheInternet() ? Optional.of(Codes.REFUSED) : Optional.empty();
  }

  private void local(
      Query query, boolean stream, InetAddress asker, Consumer<byte[]> reply, int limit) {
    List<DnsRecord> chain = new ArrayList<>();
    Name name = query.name();
    while (true) {
      Optional<Answer> found = find(name, query.type());
      if (found.isEmpty()) {
        break;
      }
      Answer answer = found.get();
      chain.addAll(answer.records());
      Optional<Name> target = aliased(answer, query.type());
      if (target.isEmpty() || chain.size() > LONGEST_CHAIN) {
        reply.accept(write(query, contents(answer, chain), limit));
        return;
      }
      name = target.get();
    }
    Name elsewhere = name;
    boolean waits =
        later(
            asker,
            () ->
                reply.accept(
                    chain.isEmpty()
                        ? forward(query, stream, limit)
                        : write(query, complete(query, chain, elsewhere), limit)));
    if (!waits) {
      reply.accept(write(query, Contents.of(Codes.FAILED), limit));
    }
  }

  /// What is not to be found below the zone's name is nowhere.
  private Optional<Answer> find(Name name, int type) {
    return zone.find(name, type)
        .or(() -> name.isWithin(zone.apex()) ? Optional.of(Answer.NO_NAME) : Optional.empty());
  }

  /// Whom else to ask for, where a name is another's and that is not what was asked for.
  private static Optional<Name> aliased(Answer answer, int type) {
    return answer.records().size() == 1
            && answer.records().getFirst() instanceof DnsRecord.Alias alias
            && type != Types.CNAME
            && type != Types.ANY
        ? Optional.of(alias.target())
        : Optional.empty();
  }

  private Contents contents(Answer last, List<DnsRecord> chain) {
    List<DnsRecord> authority =
        last.records().isEmpty()
            ? List.of(new DnsRecord.Authority(zone.apex(), zone.seconds()))
            : List.of();
    return new Contents(
        last.exists() ? Codes.NO_ERROR : Codes.NO_NAME,
        true,
        chain,
        authority,
        last.additional());
  }

  private boolean later(InetAddress asker, Runnable work) {
    if (!pending.begin(asker)) {
      return false;
    }
    Thread.ofVirtual()
        .name("dns query")
        .start(
            () -> {
              try {
                work.run();
              } finally {
                pending.end(asker);
              }
            });
    return true;
  }

  private byte[] forward(Query query, boolean stream, int limit) {
    try {
      byte[] reply = forwarder.ask(query, stream);
      int takes = Math.max(limit, query.edns().map(Query.Edns::size).orElse(0));
      return reply.length > takes ? MessageWriter.cut(query, reply) : reply;
    } catch (IOException e) {
      LOG.log(Logger.Level.DEBUG, "nobody says what {0} is: {1}", query.name(), e);
      return write(query, Contents.of(Codes.FAILED), limit);
    }
  }

  /// The zone's alias and what others say of the name that it leads to: who asks does not ask again.
  private Contents complete(Query query, List<DnsRecord> chain, Name target) {
    try {
      Query next = Query.of(target, query.type());
      Reply reply = Reply.parse(forwarder.ask(next, false));
      if (reply.truncated()) {
        reply = Reply.parse(forwarder.ask(next, true));
      }
      List<DnsRecord> all = new ArrayList<>(chain);
      all.addAll(reply.records());
      return new Contents(reply.code(), false, all, List.of(), List.of());
    } catch (IOException | MalformedMessage e) {
      LOG.log(Logger.Level.DEBUG, "nobody says what {0} is: {1}", target, e);
      return Contents.of(Codes.FAILED);
    }
  }

  private byte[] write(Query query, Contents contents, int limit) {
    return MessageWriter.write(query, contents, limit, zone.seconds());
  }
}
