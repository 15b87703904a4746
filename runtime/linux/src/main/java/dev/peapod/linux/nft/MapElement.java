package dev.peapod.linux.nft;

import java.util.Arrays;

/// An element of a map: bytes as the kernel compares them, each part of a concatenation padded to 4
/// bytes and in network byte order (see [Concatenation]).
///
/// @param key what is looked up
/// @param data what is found
/// @param comment free text, shown by `nft list map`; at most 127 bytes
public record MapElement(byte[] key, byte[] data, String comment) {
  @Override
  public boolean equals(Object other) {
    return other instanceof MapElement(byte[] otherKey, byte[] otherData, String otherComment)
        && Arrays.equals(key, otherKey)
        && Arrays.equals(data, otherData)
        && comment.equals(otherComment);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(key) + Arrays.hashCode(data);
  }
}
