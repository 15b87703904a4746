package dev.peapod.linux;

import com.sun.jna.Memory;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A few native buffers that streams borrow, so that a small file does not cost an allocation.
final class NativeBuffers {
  static final int SIZE = 65536;
  private static final ArrayBlockingQueue<Memory> FREE = new ArrayBlockingQueue<>(16);

  private NativeBuffers() {}

  static Memory borrow() {
    @Nullable Memory free = FREE.poll();
    return free != null ? free : new Memory(SIZE);
  }

  static void giveBack(Memory buffer) {
    if (!FREE.offer(buffer)) {
      buffer.close();
    }
  }
}
