package dev.peapod.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// An archive as `docker save` writes it, made of this machine's busybox and the libraries it
/// needs.
final class TestImage {
  static final String NAME = "test/busybox:1";

  private static final List<String> APPLETS =
      List.of(
          "sh",
          "cat",
          "echo",
          "env",
          "grep",
          "head",
          "hostname",
          "id",
          "ls",
          "mkdir",
          "mount",
          "nc",
          "ps",
          "pwd",
          "seq",
          "sleep",
          "stat",
          "tail",
          "tr",
          "true",
          "wc",
          "yes",
          "dd",
          "touch",
          "kill",
          "wget",
          "ulimit",
          "readlink",
          "test",
          "timeout",
          "mknod",
          "ip");

  private TestImage() {}

  static boolean canBeMade() {
    return Files.exists(Path.of("/bin/busybox"));
  }

  static byte[] archive() throws IOException {
    byte[] layer = layer();
    String config =
        """
        {"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin","FROM=image"],"Cmd":["sh"],\
        "WorkingDir":"/work"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}\
        """
            .formatted(sha256(layer));
    String manifest =
        """
        [{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]\
        """
            .formatted(NAME);
    Tar tar = new Tar();
    tar.file("config.json", config.getBytes(StandardCharsets.UTF_8), 0644);
    tar.file("manifest.json", manifest.getBytes(StandardCharsets.UTF_8), 0644);
    tar.file("layer.tar", layer, 0644);
    return tar.end();
  }

  private static byte[] layer() throws IOException {
    Tar tar = new Tar();
    for (String directory : List.of("bin/", "etc/", "lib/", "lib64/", "tmp/", "root/")) {
      tar.add(directory, '5', "", new byte[0], directory.equals("tmp/") ? 01777 : 0755);
    }
    tar.file("bin/busybox", Files.readAllBytes(Path.of("/bin/busybox")), 0755);
    for (String applet : APPLETS) {
      tar.add("bin/" + applet, '2', "busybox", new byte[0], 0777);
    }
    for (String library : libraries()) {
      tar.file(library.substring(1), Files.readAllBytes(Path.of(library)), 0755);
    }
    String passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:An app:/home/app:/bin/sh\n";
    String group = "root:x:0:\napp:x:1001:\naudio:x:29:app,other\nbig:x:4294967295:app\n";
    tar.file("etc/passwd", passwd.getBytes(StandardCharsets.UTF_8), 0644);
    tar.file("etc/group", group.getBytes(StandardCharsets.UTF_8), 0644);
    tar.file("etc/plain", "not a program\n".getBytes(StandardCharsets.UTF_8), 0644);
    return tar.end();
  }

  /// What the program interpreter would load, by asking it.
  private static List<String> libraries() throws IOException {
    Process ldd = new ProcessBuilder("ldd", "/bin/busybox").start();
    String text = new String(ldd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return text.lines()
        .map(line -> line.contains("=>") ? line.substring(line.indexOf("=>") + 2) : line)
        .map(String::strip)
        .filter(line -> line.startsWith("/"))
        .map(line -> line.substring(0, line.indexOf(' ')))
        .toList();
  }

  /// A tar archive of the simplest kind (ustar).
  private static final class Tar {
    private static final int BLOCK = 512;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void file(String name, byte[] content, int mode) {
      add(name, '0', "", content, mode);
    }

    void add(String name, char type, String link, byte[] content, int mode) {
      byte[] header = new byte[BLOCK];
      put(header, 0, name);
      put(header, 100, String.format("%07o", mode));
      put(header, 108, "0000000");
      put(header, 116, "0000000");
      put(header, 124, String.format("%011o", content.length));
      put(header, 136, "00000000000");
      put(header, 148, "        ");
      header[156] = (byte) type;
      put(header, 157, link);
      put(header, 257, "ustar");
      put(header, 263, "00");
      int sum = 0;
      for (byte b : header) {
        sum += b & 0xff;
      }
      put(header, 148, String.format("%06o", sum) + "\0");
      out.writeBytes(header);
      out.writeBytes(content);
      out.writeBytes(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
    }

    byte[] end() {
      out.writeBytes(new byte[2 * BLOCK]);
      return out.toByteArray();
    }

    private static void put(byte[] header, int at, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(bytes, 0, header, at, bytes.length);
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
