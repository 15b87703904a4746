package dev.peapod.pods.service;

/// The DNS server that knows the cluster's names, as pods are told of it. Thread-safe.
public interface ClusterDns {
  /// The domain that names of services and pods are in where nobody says otherwise.
  String DOMAIN = "cluster.local";

  /// No server: pods ask whom the machine asks.
  ClusterDns NONE =
      new ClusterDns() {
        @Override
        public String domain() {
          return DOMAIN;
        }

        @Override
        public Server server() {
          return new Server.None();
        }
      };

  /// Whom pods ask.
  sealed interface Server {
    /// The server at an address.
    record At(String address) implements Server {}

    /// There is to be none.
    record None() implements Server {}

    /// There is to be one, and there is none.
    ///
    /// @param why in one sentence
    record Missing(String why) implements Server {}
  }

  /// The domain that names of services and pods are in, without a dot at its end.
  String domain();

  /// Whom pods ask that begin now.
  Server server();
}
