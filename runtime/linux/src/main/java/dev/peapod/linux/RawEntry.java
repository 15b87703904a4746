package dev.peapod.linux;

import java.nio.charset.StandardCharsets;

/// A name as the directory has it, any bytes, ended by a NUL; and its sort (`S_IF...`, 0 unknown).
record RawEntry(byte[] name, int type) {
  String text() {
    return new String(name, 0, name.length - 1, StandardCharsets.UTF_8);
  }
}
