package dev.peapod.engine.security;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Runs a seccomp program as the kernel does, instruction by instruction, and answers what it decides.
final class FilterMachine {
  static final int X86_64 = 0xc000_003e;
  static final int I386 = 0x4000_0003;

  private static final int INSTRUCTION = 8;

  private final ByteBuffer program;

  FilterMachine(byte[] program) {
    this.program = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
  }

  int decide(int architecture, int call, long... arguments) {
    ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    data.putInt(call).putInt(architecture).putLong(0);
    for (long argument : arguments) {
      data.putLong(argument);
    }
    int accumulator = 0;
    int at = 0;
    while (true) {
      int here = at++ * INSTRUCTION;
      int k = program.getInt(here + 4);
      int code = program.getShort(here);
      switch (code) {
        case 0x20 -> accumulator = data.getInt(k);
        case 0x54 -> accumulator &= k;
        case 0x05 -> at += k;
        case 0x15 -> at += skip(here, accumulator == k);
        case 0x25 -> at += skip(here, Integer.compareUnsigned(accumulator, k) > 0);
        case 0x35 -> at += skip(here, Integer.compareUnsigned(accumulator, k) >= 0);
        case 0x45 -> at += skip(here, (accumulator & k) != 0);
        case 0x06 -> {
          return k;
        }
        default -> throw new AssertionError("instruction " + Integer.toHexString(code));
      }
    }
  }

  private int skip(int here, boolean holds) {
    return Byte.toUnsignedInt(program.get(holds ? here + 2 : here + 3));
  }
}
