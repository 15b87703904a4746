package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;

class TerminalTest {
  private static final long TIOCSPTLCK = 0x40045431;
  private static final long TIOCGPTN = 0x80045430L;

  private static Fd slaveOf(Fd master) {
    byte[] number = new byte[4];
    assertThat(TerminalCalls.ioctl(master.number(), TIOCSPTLCK, number)).isZero();
    assertThat(TerminalCalls.ioctl(master.number(), TIOCGPTN, number)).isZero();
    return Fd.open("/dev/pts/" + number[0], Open.RDWR | Open.NOCTTY);
  }

  @Test
  void sizeAndRawModeAreSetAndTakenBack() throws Exception {
    var before = OpenDescriptors.now();
    try (Fd master = Fd.open("/dev/ptmx", Open.RDWR | Open.NOCTTY);
        Fd slave = slaveOf(master)) {
      int fd = slave.number();
      assertThat(Terminal.isTerminal(fd)).isTrue();
      assertThat(Terminal.size(fd)).isEmpty();
      Terminal.resize(master.number(), new Terminal.Size(50, 132));
      assertThat(Terminal.size(fd)).hasValue(new Terminal.Size(50, 132));

      byte[] buffer = new byte[100];
      FdIo.writeAll(slave, "a\n".getBytes(UTF_8), 0);
      assertThat(new String(buffer, 0, FdIo.read(master, buffer), UTF_8)).isEqualTo("a\r\n");
      try (var raw = Terminal.raw(fd)) {
        FdIo.writeAll(slave, "b\n".getBytes(UTF_8), 0);
        assertThat(new String(buffer, 0, FdIo.read(master, buffer), UTF_8)).isEqualTo("b\n");
        FdIo.writeAll(master, new byte[] {3}, 0);
        assertThat(FdIo.read(slave, buffer)).isEqualTo(1);
        assertThat(buffer[0]).isEqualTo((byte) 3);
      }
      FdIo.writeAll(slave, "c\n".getBytes(UTF_8), 0);
      assertThat(new String(buffer, 0, FdIo.read(master, buffer), UTF_8)).isEqualTo("c\r\n");
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void whatIsNoTerminalIsSaidToBeNone() {
    try (Fd nothing = Fd.open("/dev/null", Open.RDWR)) {
      assertThat(Terminal.isTerminal(nothing.number())).isFalse();
      assertThat(Terminal.size(nothing.number())).isEmpty();
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> Terminal.raw(nothing.number()))
          .matches(e -> e.errno() == Errno.ENOTTY)
          .withMessageContaining("tcgetattr");
    }
  }
}
