package dev.peapod.image.layer;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.function.LongConsumer;

/// A blob while it is read: counted, bounded by the size it should have, and digested. Not
/// thread-safe.
public final class LayerBlob extends InputStream {
  private final InputStream in;
  private final String what;
  private final Optional<Digest> expected;
  private final Optional<MessageDigest> computation;
  private final long size;
  private final LongConsumer progress;
  private long count;

  /// @param what names the blob in errors, such as `layer sha256:...`
  /// @param expected the blob's digest; absent if only its content is verified
  /// @param size that it must have; negative if unknown
  /// @param progress is told how many bytes were read so far
  public LayerBlob(
      InputStream in, String what, Optional<Digest> expected, long size, LongConsumer progress) {
    this.in = in;
    this.what = what;
    this.expected = expected;
    this.computation = expected.map(Digest::start);
    this.size = size;
    this.progress = progress;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    int n = in.read(to, offset, length);
    if (n > 0) {
      computation.ifPresent(c -> c.update(to, offset, n));
      count += n;
      if (size >= 0 && count > size) {
        throw wrong("it is larger than the " + size + " bytes that the manifest says");
      }
      progress.accept(count);
    }
    return n;
  }

  /// Reads what is left and verifies size and digest.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if they are not what they should be
  public void verify() throws IOException {
    byte[] rest = new byte[64 * 1024];
    while (read(rest, 0, rest.length) >= 0) {
      // Reading is digesting.
    }
    if (size >= 0 && count != size) {
      throw wrong("it has " + count + " bytes where the manifest says " + size);
    }
    if (expected.isPresent() && !expected.get().finishedBy(computation.orElseThrow())) {
      throw wrong("its content does not have that digest");
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private PeapodException wrong(String why) {
    return new PeapodException(PeapodException.Kind.FAILED_PRECONDITION, what + ": " + why);
  }
}
