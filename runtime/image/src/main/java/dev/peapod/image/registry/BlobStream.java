package dev.peapod.image.registry;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.manifest.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A blob from a registry: a connection that breaks is taken up again where it broke (Range).
/// Digest and size are for the reader to verify. Network failures are PeapodExceptions. Not thread-safe.
final class BlobStream extends InputStream {
  private static final int MAX_FAILURES = 5;
  private static final int MAX_BREAKS = 200;

  private final EndpointCaller caller;
  private final String path;
  private final Descriptor blob;
  private final String what;
  private final StallGuard guard;
  private @Nullable InputStream body;
  private long position;
  private int failures;
  private int breaks;

  BlobStream(
      EndpointCaller caller, String repository, Descriptor blob, String what, StallGuard guard) {
    this.caller = caller;
    this.path = "/" + repository + "/blobs/" + blob.digest();
    this.blob = blob;
    this.what = what;
    this.guard = guard;
    body = connect();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    while (true) {
      InputStream in = body;
      if (in == null) {
        in = connect();
        body = in;
      }
      IOException broken;
      try {
        int n = guard.read(in, to, offset, length);
        if (n >= 0) {
          position += n;
          failures = 0;
          return n;
        }
        if (position >= blob.size()) {
          return -1;
        }
        broken = new IOException("the connection ended early");
      } catch (IOException e) {
        broken = e;
      }
      if (Thread.currentThread().isInterrupted()) {
        throw Interruption.of(what);
      }
      close();
      if (++failures > MAX_FAILURES || ++breaks > MAX_BREAKS) {
        throw new PeapodException(
            Kind.UNAVAILABLE,
            "registry "
                + caller.endpoint().name()
                + " does not get through with "
                + what
                + ": the connection breaks again and again ("
                + broken.getMessage()
                + ")",
            broken);
      }
    }
  }

  @Override
  public void close() {
    InputStream open = body;
    body = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        // Nothing was written.
      }
    }
  }

  private InputStream connect() {
    Map<String, String> headers =
        position == 0 ? Map.of() : Map.of("Range", "bytes=" + position + "-");
    HttpResponse<InputStream> response = caller.get(path, headers, what);
    InputStream in = response.body();
    try {
      if (response.statusCode() == 206) {
        String range = response.headers().firstValue("Content-Range").orElse("");
        if (!range.startsWith("bytes " + position + "-")) {
          in.close();
          throw new PeapodException(
              Kind.UNAVAILABLE,
              "registry "
                  + caller.endpoint().name()
                  + " answers with another part of "
                  + what
                  + " than it was asked for");
        }
      } else {
        in.skipNBytes(position);
      }
      return in;
    } catch (IOException e) {
      // The next read fails and counts as one more break.
      return InputStream.nullInputStream();
    }
  }
}
