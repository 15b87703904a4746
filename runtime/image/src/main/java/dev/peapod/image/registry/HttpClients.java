package dev.peapod.image.registry;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// One HTTP client for each way to trust certificates, made when first used. Thread-safe.
public final class HttpClients implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(15);
  private static final List<Path> SYSTEM_AUTHORITIES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"));

  private final Map<RegistryConfig.Host, HttpClient> clients = new ConcurrentHashMap<>();

  HttpClient client(String name, RegistryConfig.Host settings, boolean tls) {
    // Only what decides about trust tells clients apart.
    RegistryConfig.Host key =
        new RegistryConfig.Host(
            Optional.of(!tls),
            tls ? settings.caFile() : Optional.empty(),
            tls && settings.skipVerify(),
            Optional.empty());
    return clients.computeIfAbsent(key, k -> create(k, name, tls));
  }

  @Override
  public void close() {
    clients.values().forEach(HttpClient::shutdownNow);
  }

  private static HttpClient create(RegistryConfig.Host settings, String name, boolean tls) {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT);
    return tls ? builder.sslContext(context(settings, name)).build() : builder.build();
  }

  private static SSLContext context(RegistryConfig.Host settings, String name) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      TrustManager[] trust;
      if (settings.skipVerify()) {
        trust = new TrustManager[] {new TrustAll()};
      } else {
        TrustManagerFactory factory =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(authorities(settings, name));
        trust = factory.getTrustManagers();
      }
      context.init(null, trust, null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw PeapodException.internal("TLS can not be set up for registry " + name, e);
    }
  }

  private static KeyStore authorities(RegistryConfig.Host settings, String name)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    TrustManagerFactory builtIn =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    builtIn.init((KeyStore) null);
    int count = 0;
    for (TrustManager manager : builtIn.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        for (X509Certificate certificate : x509.getAcceptedIssuers()) {
          store.setCertificateEntry("built-in-" + count++, certificate);
        }
      }
    }
    for (Path file : SYSTEM_AUTHORITIES) {
      if (Files.isReadable(file)) {
        add(store, file, "system-");
      }
    }
    if (settings.caFile().isPresent()) {
      Path file = settings.caFile().get();
      try {
        add(store, file, "configured-");
      } catch (IOException | GeneralSecurityException e) {
        throw PeapodException.invalid(
            "the CA file " + file + " of registry " + name + " can not be read: " + e.getMessage());
      }
    }
    return store;
  }

  private static void add(KeyStore store, Path file, String prefix)
      throws GeneralSecurityException, IOException {
    int count = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry(prefix + count++, certificate);
      }
    }
  }

  /// For `insecure_skip_verify`: neither chain nor host name matter.
  private static final class TrustAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable Socket s) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable Socket s) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine e) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine e) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
