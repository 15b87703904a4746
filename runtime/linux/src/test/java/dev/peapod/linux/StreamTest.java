package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StreamTest {
  private final EventLoop loop = EventLoop.start("stream-test");
  private final byte[] buffer = new byte[100];

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  void waitsForBytesAndForTheEnd() throws Exception {
    Pipes.Pipe pipe = Pipes.create();
    try (Stream in = Stream.reader(loop, pipe.read());
        Stream out = Stream.writer(loop, pipe.write())) {
      CompletableFuture<Integer> read = new CompletableFuture<>();
      Thread.startVirtualThread(() -> read.complete(in.read(buffer)));
      assertThat(out.write(new byte[] {7, 8})).isTrue();
      assertThat(read.get()).isEqualTo(2);
      out.close();
      assertThat(in.read(buffer)).isEqualTo(-1);
    }
  }

  @Test
  void readsWhatIsThereAfterItsEnd() {
    Pipes.Pipe pipe = Pipes.create();
    try (Stream in = Stream.reader(loop, pipe.read());
        Fd out = pipe.write()) {
      FdIo.writeAll(out, new byte[150], 0);
      in.end();
      assertThat(in.read(buffer)).isEqualTo(100);
      assertThat(in.read(buffer)).isEqualTo(50);
      assertThat(in.read(buffer)).isEqualTo(-1);
    }
  }

  @Test
  void endsWhoWaits() throws Exception {
    Pipes.Pipe pipe = Pipes.create();
    try (Stream in = Stream.reader(loop, pipe.read());
        Fd out = pipe.write()) {
      CompletableFuture<Integer> read = new CompletableFuture<>();
      Thread.startVirtualThread(() -> read.complete(in.read(buffer)));
      in.end();
      assertThat(read.get()).isEqualTo(-1);
      assertThat(out.isOpen()).isTrue();
    }
  }

  @Test
  void writesToNobodyInVain() {
    Pipes.Pipe pipe = Pipes.create();
    pipe.read().close();
    try (Stream out = Stream.writer(loop, pipe.write())) {
      assertThat(out.write(new byte[] {1})).isFalse();
    }
  }
}
