package dev.peapod.image.registry;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Digest;
import dev.peapod.image.Reference;
import dev.peapod.image.manifest.Descriptor;
import dev.peapod.image.manifest.ManifestReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Where one image comes from: the endpoints of its registry, asked in order until one has it.
/// Thread-safe.
public final class ImageSource {
  private static final String ACCEPT =
      String.join(
          ", ",
          ManifestReader.OCI_INDEX,
          ManifestReader.DOCKER_INDEX,
          ManifestReader.OCI_MANIFEST,
          ManifestReader.DOCKER_MANIFEST);

  private final Reference reference;
  private final List<EndpointCaller> callers;
  private final StallGuard guard;
  private volatile int preferred;

  ImageSource(Reference reference, List<EndpointCaller> callers, StallGuard guard) {
    this.reference = reference;
    this.callers = List.copyOf(callers);
    this.guard = guard;
  }

  /// A manifest or index as the registry has it.
  ///
  /// @param contentType without parameters; may be empty
  public record Fetched(byte[] document, String contentType, Digest digest) {}

  /// Fetches the document that the reference names, by digest if it has one.
  public Fetched manifest() {
    return manifest(reference.selector(), "image " + reference);
  }

  /// Fetches a document that an index names.
  public Fetched manifest(Digest digest) {
    return manifest(digest.toString(), "manifest " + digest + " of image " + reference);
  }

  /// Opens a blob. What is read is not verified.
  public InputStream blob(Descriptor blob, String what) {
    return first(caller -> new BlobStream(caller, reference.repository(), blob, what, guard));
  }

  /// Fetches a small blob and verifies it.
  public byte[] document(Descriptor blob, int maxBytes, String what) {
    if (blob.size() > maxBytes) {
      throw PeapodException.invalid(what + " is larger than " + (maxBytes >> 20) + " MiB");
    }
    try (InputStream in = blob(blob, what)) {
      byte[] content = in.readNBytes((int) blob.size() + 1);
      if (content.length != blob.size() || !blob.digest().matches(content)) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION, what + " does not have its digest " + blob.digest());
      }
      return content;
    } catch (IOException e) {
      throw new PeapodException(Kind.UNAVAILABLE, what + " can not be read: " + e.getMessage(), e);
    }
  }

  private Fetched manifest(String selector, String what) {
    return first(caller -> manifest(caller, selector, what));
  }

  private Fetched manifest(EndpointCaller caller, String selector, String what) {
    String path = "/" + reference.repository() + "/manifests/" + selector;
    HttpResponse<InputStream> response = caller.get(path, Map.of("Accept", ACCEPT), what);
    byte[] document;
    try (InputStream in = response.body()) {
      document = in.readNBytes(ManifestReader.MAX_BYTES + 1);
    } catch (IOException e) {
      throw new PeapodException(
          Kind.UNAVAILABLE, "the connection breaks while fetching " + what, e);
    }
    if (document.length > ManifestReader.MAX_BYTES) {
      throw PeapodException.invalid("the manifest of " + what + " is larger than 4 MiB");
    }
    boolean byDigest = selector.indexOf(':') >= 0;
    Digest digest = byDigest ? Digest.parse(selector) : Digest.of(document);
    String said = response.headers().firstValue("Docker-Content-Digest").orElse("");
    boolean other = said.startsWith("sha256:") && !said.equals(Digest.of(document).toString());
    if (!digest.matches(document) || (!byDigest && other)) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "registry "
              + caller.endpoint().name()
              + " sends for "
              + what
              + " a manifest that does not have its digest "
              + (byDigest ? selector : said));
    }
    String type = response.headers().firstValue("Content-Type").orElse("");
    int semicolon = type.indexOf(';');
    return new Fetched(
        document, (semicolon < 0 ? type : type.substring(0, semicolon)).strip(), digest);
  }

  /// Asks the endpoint that answered last, then the others; the error is that of the registry
  /// itself.
  private <T> T first(Function<EndpointCaller, T> ask) {
    int start = preferred;
    PeapodException last = null;
    for (int i = 0; i < callers.size(); i++) {
      int at = (start + i) % callers.size();
      try {
        T answer = ask.apply(callers.get(at));
        preferred = at;
        return answer;
      } catch (PeapodException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        if (last == null || callers.get(at).endpoint().mirrored().isEmpty()) {
          last = e;
        }
      }
    }
    if (last == null) {
      throw new IllegalStateException("no endpoint");
    }
    throw last;
  }
}
