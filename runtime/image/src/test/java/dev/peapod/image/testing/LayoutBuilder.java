package dev.peapod.image.testing;

import dev.peapod.image.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Makes images as files of an OCI layout, in memory.
public final class LayoutBuilder {
  public static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  public static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  public static final String ARCHITECTURE =
      System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";

  private final Map<String, byte[]> blobs = new LinkedHashMap<>();
  private final List<String> tops = new ArrayList<>();

  /// A layer: its content and its blob, which may be compressed.
  public record Layer(byte[] tar, byte[] blob, String mediaType) {
    public static Layer gzip(TarBuilder tar) {
      return new Layer(tar.bytes(), tar.gzip(), GZIP);
    }
  }

  /// The digests of an image's parts.
  public record Made(Digest manifest, Digest config, List<Digest> layers) {}

  public Digest blob(byte[] content) {
    Digest digest = Digest.of(content);
    blobs.put(digest.hex(), content);
    return digest;
  }

  public byte[] content(Digest digest) {
    return blobs.getOrDefault(digest.hex(), new byte[0]);
  }

  /// An image for this machine whose configuration holds `config` (JSON fields without braces).
  public Made image(String config, Layer... layers) {
    return image(ARCHITECTURE, config, layers);
  }

  public Made image(String architecture, String config, Layer... layers) {
    List<String> diffIds = new ArrayList<>();
    List<String> descriptors = new ArrayList<>();
    List<Digest> digests = new ArrayList<>();
    for (Layer layer : layers) {
      diffIds.add("\"" + Digest.of(layer.tar()) + "\"");
      Digest blob = blob(layer.blob());
      digests.add(blob);
      descriptors.add(descriptor(layer.mediaType(), blob, layer.blob().length, ""));
    }
    byte[] document =
        ("{\"architecture\":\""
                + architecture
                + "\",\"os\":\"linux\",\"config\":{"
                + config
                + "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                + String.join(",", diffIds)
                + "]}}")
            .getBytes(StandardCharsets.UTF_8);
    Digest id = blob(document);
    byte[] manifest =
        ("{\"schemaVersion\":2,\"mediaType\":\""
                + MANIFEST
                + "\",\"config\":"
                + descriptor(CONFIG, id, document.length, "")
                + ",\"layers\":["
                + String.join(",", descriptors)
                + "]}")
            .getBytes(StandardCharsets.UTF_8);
    return new Made(blob(manifest), id, digests);
  }

  public Digest index(String... descriptors) {
    return blob(
        ("{\"schemaVersion\":2,\"mediaType\":\""
                + INDEX
                + "\",\"manifests\":["
                + String.join(",", descriptors)
                + "]}")
            .getBytes(StandardCharsets.UTF_8));
  }

  public String descriptor(Digest digest, String mediaType, String more) {
    return descriptor(mediaType, digest, content(digest).length, more);
  }

  /// Names a manifest or index in `index.json`; `more` are JSON fields with a leading comma.
  public LayoutBuilder top(Digest digest, String mediaType, String more) {
    tops.add(descriptor(digest, mediaType, more));
    return this;
  }

  public String indexJson() {
    return "{\"schemaVersion\":2,\"manifests\":[" + String.join(",", tops) + "]}";
  }

  public void write(Path directory) throws IOException {
    Path sha256 = Files.createDirectories(directory.resolve("blobs/sha256"));
    for (Map.Entry<String, byte[]> blob : blobs.entrySet()) {
      Files.write(sha256.resolve(blob.getKey()), blob.getValue());
    }
    Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Files.writeString(directory.resolve("index.json"), indexJson());
  }

  public TarBuilder tar() {
    TarBuilder tar = new TarBuilder();
    tar.file("oci-layout", 0644, "{\"imageLayoutVersion\":\"1.0.0\"}");
    tar.file("index.json", 0644, indexJson());
    blobs.forEach((hex, content) -> tar.file("blobs/sha256/" + hex, 0644, content));
    return tar;
  }

  private static String descriptor(String mediaType, Digest digest, long size, String more) {
    return "{\"mediaType\":\""
        + mediaType
        + "\",\"digest\":\""
        + digest
        + "\",\"size\":"
        + size
        + more
        + "}";
  }
}
