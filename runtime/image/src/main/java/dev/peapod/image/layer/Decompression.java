package dev.peapod.image.layer;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/// Finds out how a stream is compressed by its first bytes and undoes it.
///
/// What media types say is not needed for that, since the digests of both sides are verified.
public final class Decompression {
  private static final int MAGIC = 4;

  private Decompression() {}

  /// The decompressed stream: of gzip (of any number of members), zstd, or anything else as it is.
  public static InputStream open(InputStream in) throws IOException {
    byte[] magic = in.readNBytes(MAGIC);
    PushbackInputStream whole = new PushbackInputStream(in, MAGIC);
    whole.unread(magic);
    if (magic.length == MAGIC) {
      if (GunzipStream.isMagic(magic[0], magic[1])) {
        return new GunzipStream(whole);
      }
      int word =
          (magic[0] & 0xff)
              | (magic[1] & 0xff) << 8
              | (magic[2] & 0xff) << 16
              | (magic[3] & 0xff) << 24;
      if (word == 0xFD2FB528 || (word & 0xFFFFFFF0) == 0x184D2A50) {
        return new ZstdInputStreamNoFinalizer(whole);
      }
    }
    return whole;
  }
}
