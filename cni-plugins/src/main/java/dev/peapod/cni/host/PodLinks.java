package dev.peapod.cni.host;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The names of the host's ends of the pods' links: of each sandbox another, so that a link which
/// the kernel has not removed yet is in nobody's way.
public final class PodLinks {
  private static final Pattern NAME = Pattern.compile("pea[0-9a-f]{12}");
  private static final int HASH_BYTES = 6;

  private PodLinks() {}

  /// The name for a sandbox's interface.
  public static String name(String sandboxId, String interfaceName) {
    byte[] hash =
        sha256().digest((sandboxId + ":" + interfaceName).getBytes(StandardCharsets.UTF_8));
    return "pea" + HexFormat.of().formatHex(hash, 0, HASH_BYTES);
  }

  /// Whether a link's name is of that form.
  public static boolean isOurs(String name) {
    return NAME.matcher(name).matches();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
