package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class UnixSeqpacketTest {
  @Test
  void messagesKeepTheirBordersAndDescriptorsArriveOpenAndCloseOnExec() throws Exception {
    var before = OpenDescriptors.now();
    try (var pair = UnixSeqpacket.pair();
        var pipe = Pipes.create()) {
      pair.left().send("one".getBytes(UTF_8), List.of(pipe.write()));
      pair.left().send("two".getBytes(UTF_8), List.of());
      try (var first = pair.right().receive(100, 4)) {
        assertThat(new String(first.message(), UTF_8)).isEqualTo("one");
        assertThat(first.fds()).hasSize(1);
        int passed = first.fds().getFirst().number();
        assertThat(LibC.fcntl(passed, 1 /* F_GETFD */, 0)).isEqualTo(1);
        FdIo.writeAll(first.fds().getFirst(), "through".getBytes(UTF_8), 0);
        byte[] buffer = new byte[100];
        int n = FdIo.read(pipe.read(), buffer);
        assertThat(new String(buffer, 0, n, UTF_8)).isEqualTo("through");
      }
      try (var second = pair.right().receive(100, 0)) {
        assertThat(new String(second.message(), UTF_8)).isEqualTo("two");
      }
      assertThat(pair.right().tryReceive(100, 0)).isEmpty();
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void passesTheMostDescriptorsAndAMessageOfManyKilobytes() throws Exception {
    var before = OpenDescriptors.now();
    try (var pair = UnixSeqpacket.pair();
        var file = Fd.open("/dev/null", Open.RDONLY)) {
      List<Fd> many = new ArrayList<>();
      for (int i = 0; i < UnixSeqpacket.MAX_FDS; i++) {
        many.add(file);
      }
      byte[] big = new byte[100_000];
      big[99_999] = 7;
      pair.left().send(big, many);
      try (var got = pair.right().receive(100_000, UnixSeqpacket.MAX_FDS)) {
        assertThat(got.message()).isEqualTo(big);
        assertThat(got.fds()).hasSize(UnixSeqpacket.MAX_FDS);
      }
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void aMessageThatIsTooLongOrHasTooManyDescriptorsIsRefusedWithoutALeak() throws Exception {
    try (var pair = UnixSeqpacket.pair();
        var file = Fd.open("/dev/null", Open.RDONLY)) {
      var before = OpenDescriptors.now();
      pair.left().send(new byte[20], List.of(file));
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> pair.right().receive(10, 1))
          .matches(e -> e.errno() == Errno.EMSGSIZE);
      pair.left().send(new byte[1], List.of(file, file, file, file));
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> pair.right().receive(10, 1))
          .matches(e -> e.errno() == Errno.EMSGSIZE);
      pair.left().send(new byte[1], List.of(file));
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> pair.right().receive(10, 0))
          .matches(e -> e.errno() == Errno.EMSGSIZE);
      OpenDescriptors.assertNoneSince(before);
    }
  }

  @Test
  void theEndIsSeenAndSendingToItFails() {
    try (var pair = UnixSeqpacket.pair()) {
      pair.left().close();
      assertThat(pair.right().receive(10, 1).isEnd()).isTrue();
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> pair.right().send(new byte[1], List.of()))
          .matches(e -> e.errno() == Errno.EPIPE)
          .withMessageContaining("sendmsg");
    }
  }

  @Test
  void aFullQueueMakesTheSenderWait() throws Exception {
    try (var pair = UnixSeqpacket.pair()) {
      int messages = 2000;
      var done = new CountDownLatch(1);
      Thread.startVirtualThread(
          () -> {
            for (int i = 0; i < messages; i++) {
              pair.left().send(new byte[1000], List.of());
            }
            done.countDown();
          });
      for (int i = 0; i < messages; i++) {
        assertThat(pair.right().receive(1000, 0).message()).hasSize(1000);
      }
      done.await();
    }
  }
}
