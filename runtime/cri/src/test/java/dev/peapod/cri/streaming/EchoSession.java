package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamSession;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/// A process of the tests' own: writes what it reads, at last a word to stderr, and ends with the code that
/// it is made with once its input has ended.
final class EchoSession implements StreamSession {
  private static final byte[] END = new byte[0];

  final List<String> sizes = new CopyOnWriteArrayList<>();
  final CountDownLatch closed = new CountDownLatch(1);
  private final BlockingQueue<byte[]> input = new LinkedBlockingQueue<>();
  private final int code;

  EchoSession(int code) {
    this.code = code;
  }

  @Override
  public int run(Output output) throws IOException {
    try {
      byte[] bytes;
      while ((bytes = input.take()) != END) {
        output.stdout(bytes, bytes.length);
      }
      byte[] word = "end".getBytes(StandardCharsets.UTF_8);
      output.stderr(word, word.length);
      return code;
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Override
  public boolean write(byte[] bytes) {
    return input.add(bytes);
  }

  @Override
  public void endInput() {
    input.add(END);
  }

  @Override
  public void resize(int rows, int columns) {
    sizes.add(rows + "x" + columns);
  }

  @Override
  public void close() {
    input.add(END);
    closed.countDown();
  }
}
