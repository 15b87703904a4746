package dev.peapod.pods.probe;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/// A probe by HTTP/1.1 GET on a fresh connection. Certificates are not verified, as Kubernetes
/// says. Redirects within the same host are followed; one that leads elsewhere counts as success.
final class HttpProbe {
  private static final int MAX_REDIRECTS = 10;
  private static final int MAX_HEAD = 64 << 10;
  private static final int MAX_BODY = 10 << 10;
  private static final int SHOWN = 200;

  private HttpProbe() {}

  static ProbeResult perform(ProbeAction.Http http, Duration timeout) {
    return perform(http, timeout, false);
  }

  /// Any answer is a success; a redirect is not followed.
  static ProbeResult reach(ProbeAction.Http http, Duration timeout) {
    return perform(http, timeout, true);
  }

  private static ProbeResult perform(ProbeAction.Http http, Duration timeout, boolean anyAnswer) {
    long deadline = System.nanoTime() + timeout.toNanos();
    String scheme = http.scheme().toLowerCase(Locale.ROOT);
    URI uri = URI.create(scheme + "://" + bracketed(http.host()) + ":" + http.port() + "/");
    String path = http.path().startsWith("/") ? http.path() : "/" + http.path();
    try {
      for (int i = 0; i <= MAX_REDIRECTS; i++) {
        Answer answer = get(http, uri, path, deadline);
        if (anyAnswer) {
          return ProbeResult.ok(shown(answer.body));
        }
        if (answer.status < 300 || answer.status >= 400 || answer.location.isEmpty()) {
          return judge(answer);
        }
        URI target = resolve(uri, path, answer.location);
        if (target.getHost() == null || !target.getHost().equals(uri.getHost())) {
          return ProbeResult.ok("Probe terminated redirects, Response body: " + shown(answer.body));
        }
        uri = target;
        path = pathOf(target);
      }
      return ProbeResult.failed("stopped after " + MAX_REDIRECTS + " redirects");
    } catch (SocketTimeoutException e) {
      return ProbeResult.failed(
          "Get \""
              + uri.resolve("/")
              + path.substring(1)
              + "\": deadline exceeded while awaiting the answer");
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      return ProbeResult.failed(
          "Get \"" + uri.resolve("/") + path.substring(1) + "\": " + e.getMessage());
    }
  }

  private static ProbeResult judge(Answer answer) {
    if (answer.status >= 200 && answer.status < 400) {
      return ProbeResult.ok(shown(answer.body));
    }
    return ProbeResult.failed("HTTP probe failed with statuscode: " + answer.status);
  }

  private record Answer(int status, String location, byte[] body) {}

  private static Answer get(ProbeAction.Http http, URI uri, String path, long deadline)
      throws IOException, GeneralSecurityException {
    boolean tls = uri.getScheme().equals("https");
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
    // The address is a literal or the manifest's own host; URI keeps brackets of IPv6 literals.
    String host = uri.getHost().replace("[", "").replace("]", "");
    InetSocketAddress address = new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new IOException("dial tcp: lookup " + host + ": no such host");
    }
    try (Socket plain = new Socket()) {
      plain.connect(address, remaining(deadline));
      plain.setSoTimeout(remaining(deadline));
      try (Socket socket =
          tls ? trustAll().getSocketFactory().createSocket(plain, host, port, true) : plain) {
        socket.getOutputStream().write(request(http, uri, path).getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
        return answer(socket, new BufferedInputStream(socket.getInputStream()), deadline);
      }
    }
  }

  private static String request(ProbeAction.Http http, URI uri, String path) {
    StringBuilder request = new StringBuilder("GET ").append(path).append(" HTTP/1.1\r\n");
    boolean host = false;
    boolean agent = false;
    boolean accept = false;
    for (Map.Entry<String, String> header : http.headers()) {
      String name = header.getKey().toLowerCase(Locale.ROOT);
      host |= name.equals("host");
      agent |= name.equals("user-agent");
      accept |= name.equals("accept");
      // An empty value of these two means: do not send the header.
      if (!(header.getValue().isEmpty() && (name.equals("user-agent") || name.equals("accept")))) {
        request.append(header.getKey()).append(": ").append(header.getValue()).append("\r\n");
      }
    }
    if (!host) {
      request.append("Host: ").append(uri.getRawAuthority()).append("\r\n");
    }
    if (!agent) {
      request.append("User-Agent: kube-probe/1.0\r\n");
    }
    if (!accept) {
      request.append("Accept: */*\r\n");
    }
    return request.append("Connection: close\r\n\r\n").toString();
  }

  private static Answer answer(Socket socket, InputStream in, long deadline) throws IOException {
    String statusLine = line(socket, in, deadline);
    String[] parts = statusLine.split(" ", 3);
    if (parts.length < 2 || !parts[0].startsWith("HTTP/1.") || !parts[1].matches("[1-9][0-9]{2}")) {
      throw new IOException("malformed HTTP response");
    }
    int status = Integer.parseInt(parts[1]);
    String location = "";
    int head = statusLine.length();
    for (String line = line(socket, in, deadline);
        !line.isEmpty();
        line = line(socket, in, deadline)) {
      head += line.length();
      if (head > MAX_HEAD) {
        throw new IOException("response headers are too long");
      }
      if (line.regionMatches(true, 0, "location:", 0, 9)) {
        location = line.substring(9).strip();
      }
    }
    if (status >= 100 && status < 200) {
      return answer(socket, in, deadline);
    }
    return new Answer(status, location, body(socket, in, deadline));
  }

  private static byte[] body(Socket socket, InputStream in, long deadline) throws IOException {
    // The status alone decides; of the body only what has come with it is shown.
    int available = Math.min(in.available(), MAX_BODY);
    socket.setSoTimeout(remaining(deadline));
    return available > 0 ? in.readNBytes(available) : new byte[0];
  }

  private static String line(Socket socket, InputStream in, long deadline) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      socket.setSoTimeout(remaining(deadline));
      int b = in.read();
      if (b < 0) {
        throw new IOException("EOF");
      }
      if (b == '\n') {
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
      }
      line.write(b);
      if (line.size() > MAX_HEAD) {
        throw new IOException("response headers are too long");
      }
    }
  }

  private static int remaining(long deadline) throws SocketTimeoutException {
    long millis = (deadline - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new SocketTimeoutException("timeout");
    }
    return (int) Math.min(millis, Integer.MAX_VALUE);
  }

  private static URI resolve(URI uri, String path, String location) throws IOException {
    try {
      return URI.create(uri.getScheme() + "://" + uri.getRawAuthority() + path).resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "malformed redirect to \"" + shown(location.getBytes(StandardCharsets.UTF_8)) + "\"", e);
    }
  }

  private static String pathOf(URI uri) {
    String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
  }

  private static String bracketed(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }

  private static String shown(byte[] body) {
    String text = new String(body, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}+", " ").strip();
    return text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text;
  }

  private static SSLContext trustAll() throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new TrustAll()}, new SecureRandom());
    return context;
  }

  private static final class TrustAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
