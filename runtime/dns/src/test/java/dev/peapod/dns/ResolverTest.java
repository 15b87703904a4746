package dev.peapod.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// What is answered of the zone, and to what is no question.
class ResolverTest {
  private static final InetAddress ASKER = InetAddress.ofLiteral("127.0.0.1");

  private final TestZone zone = new TestZone();
  private final Resolver resolver =
      new Resolver(
          zone, new Forwarder(List::<InetSocketAddress>of, Duration.ofMillis(10)), new Quota(0, 0));

  private List<byte[]> raw(byte[] message, boolean stream) {
    List<byte[]> answers = new ArrayList<>();
    resolver.answer(message, stream, ASKER, answers::add);
    return answers;
  }

  private List<String> ask(byte[] message) {
    return Ask.read(raw(message, false).getFirst());
  }

  private void address(String name, String address) {
    zone.records.add(new DnsRecord.Address(Name.of(name), InetAddress.ofLiteral(address)));
  }

  @Test
  void namesAreFoundWhateverTheirCase() {
    address("web.x", "10.0.0.1");
    byte[] answer = raw(Ask.question("WeB.X", Types.A), false).getFirst();
    assertThat(Ask.read(answer)).containsExactly("NOERROR aa", "answer WeB.X. 5 A 10.0.0.1");
  }

  @Test
  void whatIsNotThereIsSaidSo() {
    address("web.x", "10.0.0.1");
    assertThat(ask(Ask.question("none.x", Types.A)))
        .containsExactly("NXDOMAIN aa", "authority x. 5 SOA ns.dns.x. hostmaster.x.");
    assertThat(ask(Ask.question("web.x", Types.AAAA)))
        .containsExactly("NOERROR aa", "authority x. 5 SOA ns.dns.x. hostmaster.x.");
  }

  @Test
  void everyKindOfRecordIsWritten() {
    Name name = Name.of("a.x");
    zone.records.add(new DnsRecord.Server(name, 1, 2, 3, Name.of("b.x")));
    zone.records.add(new DnsRecord.Pointer(name, Name.of("b.x")));
    zone.records.add(new DnsRecord.Text(name, "some text"));
    address("a.x", "::1");
    assertThat(ask(Ask.question("a.x", Types.SRV))).contains("answer a.x. 5 SRV 1 2 3 b.x.");
    assertThat(ask(Ask.question("a.x", Types.PTR))).contains("answer a.x. 5 PTR b.x.");
    assertThat(ask(Ask.question("a.x", Types.TXT))).contains("answer a.x. 5 TXT some text");
    assertThat(ask(Ask.question("a.x", Types.AAAA))).contains("answer a.x. 5 AAAA");
  }

  @Test
  void aliasesAreFollowedAndHaveAnEnd() {
    zone.records.add(new DnsRecord.Alias(Name.of("one.x"), Name.of("two.x")));
    zone.records.add(new DnsRecord.Alias(Name.of("two.x"), Name.of("web.x")));
    zone.records.add(new DnsRecord.Alias(Name.of("loop.x"), Name.of("loop.x")));
    address("web.x", "10.0.0.1");
    assertThat(ask(Ask.question("one.x", Types.A)))
        .containsExactly(
            "NOERROR aa",
            "answer one.x. 5 CNAME two.x.",
            "answer two.x. 5 CNAME web.x.",
            "answer web.x. 5 A 10.0.0.1");
    assertThat(ask(Ask.question("one.x", Types.CNAME)))
        .containsExactly("NOERROR aa", "answer one.x. 5 CNAME two.x.");
    assertThat(ask(Ask.question("loop.x", Types.A))).first().isEqualTo("NOERROR aa");
  }

  @Test
  void whatDoesNotFitIsToBeAskedForByStream() {
    for (int i = 0; i < 100; i++) {
      address("many.x", "10.0.1." + i);
    }
    byte[] small = raw(Ask.question("many.x", Types.A), false).getFirst();
    assertThat(small).hasSizeLessThanOrEqualTo(512).hasSizeGreaterThan(490);
    assertThat(Ask.read(small)).first().isEqualTo("NOERROR aa tc");
    byte[] larger = raw(Ask.edns("many.x", Types.A, 4096, 0), false).getFirst();
    assertThat(larger).hasSizeLessThanOrEqualTo(1232).hasSizeGreaterThan(1200);
    assertThat(Ask.read(larger)).contains("NOERROR aa tc", "additional OPT 1232 0");
    assertThat(Ask.read(raw(Ask.question("many.x", Types.A), true).getFirst()))
        .hasSize(101)
        .first()
        .isEqualTo("NOERROR aa");
  }

  @Test
  void whatIsNoQuestionHereIsRefused() {
    assertThat(ask(Ask.message("web.x", Types.A, 3, 0))).containsExactly("REFUSED");
    assertThat(ask(Ask.question("x", 252))).containsExactly("REFUSED");
    // BADVERS is 16: one in the record of EDNS, nothing in the header.
    assertThat(ask(Ask.edns("web.x", Types.A, 1232, 1)))
        .containsExactly("NOERROR", "additional OPT 1232 1");
    byte[] notify = Ask.question("web.x", Types.A);
    notify[2] |= 4 << 3;
    assertThat(ask(notify)).containsExactly("NOTIMP");
    byte[] response = Ask.question("web.x", Types.A);
    response[2] |= (byte) 0x80;
    assertThat(raw(response, false)).isEmpty();
    byte[] whole = Ask.question("web.x", Types.A);
    for (int length = 0; length < whole.length; length++) {
      List<byte[]> answers = raw(Arrays.copyOf(whole, length), false);
      if (length < 12) {
        assertThat(answers).isEmpty();
      } else {
        assertThat(Ask.read(answers.getFirst())).containsExactly("FORMERR");
      }
    }
    byte[] pointing = Ask.question("web.x", Types.A);
    pointing[12] = (byte) 0xc0;
    assertThat(ask(pointing)).containsExactly("FORMERR");
    byte[] two = Ask.question("web.x", Types.A);
    two[5] = 2;
    assertThat(ask(two)).containsExactly("FORMERR");
  }

  @Test
  void aDefectOfTheZoneIsAFailureOfOneAnswer() {
    assertThat(ask(Ask.question("defect.x", Types.A))).containsExactly("SERVFAIL");
  }

  @Test
  void whoAsksTooMuchIsToldSo() {
    assertThat(ask(Ask.question("example.com", Types.A))).containsExactly("SERVFAIL");
  }

  /// Whatever comes, nothing is thrown, and what is answered can be read.
  @Test
  void anythingMayCome() {
    address("web.x", "10.0.0.1");
    Random random = new Random(7);
    byte[] good = Ask.edns("web.x", Types.A, 1232, 0);
    for (int i = 0; i < 200_000; i++) {
      byte[] message;
      if (i % 2 == 0) {
        message = Arrays.copyOf(good, random.nextInt(good.length + 8));
        for (int change = random.nextInt(4); change >= 0 && message.length > 0; change--) {
          message[random.nextInt(message.length)] = (byte) random.nextInt(256);
        }
      } else {
        message = new byte[random.nextInt(64)];
        random.nextBytes(message);
      }
      for (byte[] answer : raw(message, (i & 2) == 0)) {
        assertThat(Ask.read(answer)).isNotEmpty();
        assertThat(answer[0]).isEqualTo(message[0]);
        assertThat(answer[1]).isEqualTo(message[1]);
      }
    }
  }

  /// What servers answer is no more to be trusted.
  @Test
  void anythingMayBeAnswered() {
    Random random = new Random(11);
    byte[] question = Ask.question("web.y", Types.A);
    Query query = Query.parse(question);
    byte[] good =
        Upstream.answer(
            question,
            0,
            new DnsRecord.Alias(Name.of("web.y"), Name.of("other.y")),
            new DnsRecord.Address(Name.of("other.y"), InetAddress.ofLiteral("192.0.2.1")));
    assertThat(Reply.parse(good).records()).hasSize(2);
    for (int i = 0; i < 200_000; i++) {
      byte[] message = Arrays.copyOf(good, random.nextInt(good.length + 8));
      for (int change = random.nextInt(4); change >= 0 && message.length > 0; change--) {
        message[random.nextInt(message.length)] = (byte) random.nextInt(256);
      }
      if (query.isAnsweredBy(message, Ask.ID)) {
        try {
          Reply.parse(message);
        } catch (MalformedMessage e) {
          assertThat(e).hasMessageNotContaining("null");
        }
      }
    }
  }
}
