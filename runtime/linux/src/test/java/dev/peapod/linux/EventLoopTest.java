package dev.peapod.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class EventLoopTest {
  @Test
  void handlersHearOfDataAndOfTheEndOnTheLoopsThread() throws Exception {
    var before = OpenDescriptors.now();
    try (var loop = EventLoop.start("test-loop");
        var pair = UnixSeqpacket.pair()) {
      var heard = new CopyOnWriteArrayList<String>();
      try (var registration =
          loop.register(
              pair.right().fd(),
              EventLoop.IN,
              events ->
                  pair.right()
                      .tryReceive(100, 0)
                      .ifPresent(
                          r -> {
                            if (!r.isEnd() || !heard.contains("end")) {
                              heard.add(r.isEnd() ? "end" : new String(r.message(), UTF_8));
                            }
                            heard.addIfAbsent(Thread.currentThread().getName());
                          }))) {
        pair.left().send("hello".getBytes(UTF_8), List.of());
        await().until(() -> heard.contains("test-loop"));
        assertThat(heard).containsExactly("hello", "test-loop");
        pair.left().close();
        await().until(() -> heard.contains("end"));
      }
    }
    OpenDescriptors.assertNoneSince(before);
  }

  @Test
  void aClosedRegistrationIsSilentAndAFailingHandlerDoesNotEndTheLoop() throws Exception {
    Logger log = Logger.getLogger(EventLoop.class.getName());
    log.setLevel(Level.OFF);
    try (var loop = EventLoop.start("test-loop");
        var first = Pipes.create();
        var second = Pipes.create()) {
      var calls = new AtomicInteger();
      var silent = loop.register(first.read(), EventLoop.IN, events -> calls.incrementAndGet());
      silent.close();
      silent.close();
      FdIo.writeAll(first.write(), new byte[1], 0);

      var failing = new AtomicInteger();
      var registration =
          loop.register(
              second.read(),
              EventLoop.IN,
              events -> {
                FdIo.read(second.read(), new byte[1]);
                failing.incrementAndGet();
                throw new IllegalStateException("on purpose");
              });
      FdIo.writeAll(second.write(), new byte[1], 0);
      await().until(() -> failing.get() == 1);
      FdIo.writeAll(second.write(), new byte[1], 0);
      await().until(() -> failing.get() == 2);
      registration.close();
      assertThat(calls).hasValue(0);
      // It may be registered again.
      loop.register(first.read(), EventLoop.IN, events -> calls.incrementAndGet()).close();
    } finally {
      log.setLevel(null);
    }
  }
}
