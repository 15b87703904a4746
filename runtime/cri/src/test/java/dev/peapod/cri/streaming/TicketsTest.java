package dev.peapod.cri.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class TicketsTest {
  private static final Ticket FORWARD = new Ticket.PortForward(List.of(), Fd::new);

  private final AtomicLong now = new AtomicLong(-5);
  private final Tickets tickets = new Tickets(now::get);

  @Test
  void areGoodOnce() {
    String token = tickets.issue(FORWARD);
    assertThat(tickets.redeem("portforward", token)).contains(FORWARD);
    assertThat(tickets.redeem("portforward", token)).isEmpty();
    assertThat(tickets.redeem("portforward", "")).isEmpty();
  }

  @Test
  void areGoodForOneVerb() {
    String token = tickets.issue(FORWARD);
    assertThat(tickets.redeem("exec", token)).isEmpty();
    assertThat(tickets.redeem("portforward", token)).isPresent();
  }

  @Test
  void expire() {
    String early = tickets.issue(FORWARD);
    now.addAndGet(Tickets.LIFE.toNanos() - 1);
    String late = tickets.issue(FORWARD);
    now.incrementAndGet();
    assertThat(tickets.redeem("portforward", early)).isEmpty();
    assertThat(tickets.redeem("portforward", late)).isPresent();
  }

  @Test
  void areBoundInNumber() {
    for (int i = 0; i < Tickets.MOST; i++) {
      tickets.issue(FORWARD);
    }
    assertThatThrownBy(() -> tickets.issue(FORWARD))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("were asked for and not begun");
    now.addAndGet(Tickets.LIFE.toNanos());
    assertThat(tickets.issue(FORWARD)).isNotEmpty();
  }
}
