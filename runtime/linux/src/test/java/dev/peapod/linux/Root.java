package dev.peapod.linux;

import org.junit.jupiter.api.Assumptions;

/// For tests that need the superuser.
public final class Root {
  private Root() {}

  /// Skips the test, with its reason, where it is run by anybody else.
  public static void assumed() {
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
  }
}
