package dev.peapod.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is asked of others: a server of the test's own.
@Timeout(60)
class ForwarderTest {
  private static final DnsRecord ADDRESS =
      new DnsRecord.Address(Name.of("web.y"), InetAddress.ofLiteral("192.0.2.1"));
  private static final DnsRecord FALSE =
      new DnsRecord.Address(Name.of("web.y"), InetAddress.ofLiteral("192.0.2.6"));

  private final Query query = Query.parse(Ask.question("web.y", Types.A));

  private static Forwarder forwarder(Duration patience, Upstream... servers) {
    return new Forwarder(
        () -> List.of(servers).stream().map(Upstream::address).toList(), patience);
  }

  private static Upstream silent() throws IOException {
    return new Upstream(question -> List.of(), question -> new byte[0]);
  }

  private static Upstream good() throws IOException {
    return new Upstream(
        question -> List.of(Upstream.answer(question, 0, ADDRESS)),
        question -> Upstream.answer(question, 0, ADDRESS, ADDRESS));
  }

  @Test
  void answersComeBackWithTheNumberThatWasAskedWith() throws IOException {
    try (Upstream server = good()) {
      Forwarder forwarder = forwarder(Duration.ofSeconds(20), server);
      byte[] answer = forwarder.ask(query, false);
      assertThat(Query.parse(Ask.question("web.y", Types.A)).id()).isEqualTo(Ask.ID);
      assertThat(answer[0]).isEqualTo((byte) (Ask.ID >> 8));
      assertThat(answer[1]).isEqualTo((byte) Ask.ID);
      assertThat(Ask.read(answer)).contains("answer web.y. 60 A 192.0.2.1");
      assertThat(Ask.read(forwarder.ask(query, true))).hasSize(3);
    }
  }

  @Test
  void answersToSomethingElseDoNotCount() throws IOException {
    try (Upstream server =
        new Upstream(
            question -> {
              byte[] other = Upstream.answer(question, 0, FALSE);
              other[1]++;
              byte[] asked = Ask.question("web.z", Types.A);
              asked[0] = question[0];
              asked[1] = question[1];
              return List.of(
                  other,
                  Upstream.answer(asked, 0, FALSE),
                  question,
                  new byte[] {1, 2, 3},
                  Upstream.answer(question, 0, ADDRESS));
            },
            question -> new byte[0])) {
      assertThat(Ask.read(forwarder(Duration.ofSeconds(20), server).ask(query, false)))
          .containsExactly("NOERROR aa", "answer web.y. 60 A 192.0.2.1");
    }
  }

  @Test
  void theNextServerIsAskedWhereOneIsSilentOrAtALoss() throws IOException {
    try (Upstream silent = silent();
        Upstream lost =
            new Upstream(q -> List.of(Upstream.answer(q, 2)), q -> Upstream.answer(q, 2));
        Upstream good = good()) {
      Forwarder forwarder = forwarder(Duration.ofMillis(300), silent, lost, good);
      assertThat(Ask.read(forwarder.ask(query, false))).hasSize(2);
      assertThat(silent.asked).hasValue(1);
      // Who was silent comes last for a while.
      assertThat(Ask.read(forwarder.ask(query, false))).hasSize(2);
      assertThat(silent.asked).hasValue(1);
      assertThat(Ask.read(forwarder(Duration.ofSeconds(20), lost).ask(query, false)))
          .containsExactly("SERVFAIL aa");
    }
  }

  @Test
  void nobodyToAskIsAFailure() throws IOException {
    assertThatThrownBy(() -> forwarder(Duration.ofSeconds(1)).ask(query, false))
        .isInstanceOf(IOException.class);
    Upstream gone = good();
    gone.close();
    assertThatThrownBy(() -> forwarder(Duration.ofMillis(300), gone).ask(query, false))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> forwarder(Duration.ofMillis(300), gone).ask(query, true))
        .isInstanceOf(IOException.class);
  }

  @Test
  void anAliasToElsewhereIsAnsweredWithWhatThatIs() throws Exception {
    try (Upstream server =
        new Upstream(
            // The first answer is cut short, so the whole of it is asked for.
            question -> {
              byte[] answer = Upstream.answer(question, 0);
              answer[2] |= 2;
              return List.of(answer);
            },
            question -> Upstream.answer(question, 0, ADDRESS))) {
      TestZone zone = new TestZone();
      zone.records.add(new DnsRecord.Alias(Name.of("ext.x"), Name.of("web.y")));
      Resolver resolver = new Resolver(zone, forwarder(Duration.ofSeconds(20), server));
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      InetAddress asker = InetAddress.getLoopbackAddress();
      resolver.answer(Ask.question("ext.x", Types.A), false, asker, answer::complete);
      assertThat(Ask.read(answer.get(30, TimeUnit.SECONDS)))
          .containsExactly(
              "NOERROR",
              "answer ext.x. 5 CNAME web.y.",
              "answer web.y. 5 A 192.0.2.1");
    }
  }

  @Test
  void nobodyHasTheOthersWait() {
    Quota quota = new Quota(3, 2);
    InetAddress one = InetAddress.ofLiteral("10.0.0.1");
    InetAddress other = InetAddress.ofLiteral("10.0.0.2");
    assertThat(quota.begin(one)).isTrue();
    assertThat(quota.begin(one)).isTrue();
    assertThat(quota.begin(one)).isFalse();
    assertThat(quota.begin(other)).isTrue();
    assertThat(quota.begin(other)).isFalse();
    quota.end(one);
    assertThat(quota.begin(other)).isTrue();
  }
}
