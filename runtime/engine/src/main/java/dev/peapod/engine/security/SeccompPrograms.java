package dev.peapod.engine.security;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Memfd;
import dev.peapod.linux.seccomp.Libseccomp;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Compiled seccomp profiles: each is compiled once for each set of capabilities that makes a
/// difference to it. What the default profile's programs are in are descriptors that all containers
/// share. Thread-safe.
public final class SeccompPrograms implements AutoCloseable {
  /// How many compiled profiles are kept; those of the machine's owner are few.
  private static final int MAX_CACHED = 256;

  /// How many descriptors of the default profile's programs are kept open: a machine's containers
  /// have few different sets of capabilities.
  private static final int MAX_SHARED = 16;

  private static final String DEFAULT_RESOURCE = "default-seccomp.json";

  private record Key(SeccompProfile profile, long capabilities) {}

  private final Map<String, SeccompProfile> profiles = new ConcurrentHashMap<>();
  private final Map<Key, byte[]> programs = new ConcurrentHashMap<>();
  /// By the capabilities that make a difference.
  private final Map<Long, Fd> shared = new HashMap<>();
  private @Nullable SeccompProfile defaultProfile;

  /// A program on its way to the kernel; closing it leaves what is shared open.
  ///
  /// @param fd a memfd with the program
  /// @param flags of seccomp(2)
  record Program(Fd fd, int flags, boolean isShared) implements AutoCloseable {
    @Override
    public void close() {
      if (!isShared) {
        fd.close();
      }
    }
  }

  /// The default profile's program.
  ///
  /// @param capabilities what the container has, as a bit set
  Program ofDefault(long capabilities) {
    SeccompProfile profile = defaultProfile();
    long relevant = capabilities & profile.relevantCapabilities();
    Fd fd = shared(profile, relevant);
    return fd == null ? open(profile, relevant) : new Program(fd, profile.flags(), true);
  }

  /// The program of a profile of the machine's owner.
  ///
  /// @param title what the profile is called in messages
  /// @throws PeapodException INVALID naming what is wrong with the profile
  Program of(String title, String json, long capabilities) {
    if (profiles.size() > MAX_CACHED || programs.size() > MAX_CACHED) {
      profiles.clear();
      programs.clear();
    }
    SeccompProfile profile =
        profiles.computeIfAbsent(json, text -> SeccompProfile.parse(title, text));
    try {
      return open(profile, capabilities & profile.relevantCapabilities());
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), title + ": " + e.getMessage(), e);
    }
  }

  private Program open(SeccompProfile profile, long relevant) {
    byte[] program =
        programs.computeIfAbsent(new Key(profile, relevant), SeccompPrograms::compile);
    return new Program(Memfd.sealed("seccomp", program), profile.flags(), false);
  }

  private static byte[] compile(Key key) {
    return Libseccomp.compile(key.profile.filter(key.capabilities, Machine.present()));
  }

  private synchronized SeccompProfile defaultProfile() {
    if (defaultProfile == null) {
      defaultProfile = SeccompProfile.parse("the default seccomp profile", resource());
    }
    return defaultProfile;
  }

  private synchronized @Nullable Fd shared(SeccompProfile profile, long relevant) {
    Fd fd = shared.get(relevant);
    if (fd == null && shared.size() < MAX_SHARED) {
      fd = Memfd.sealed("seccomp", compile(new Key(profile, relevant)));
      shared.put(relevant, fd);
    }
    return fd;
  }

  private static String resource() {
    try (InputStream in = SeccompPrograms.class.getResourceAsStream(DEFAULT_RESOURCE)) {
      byte[] bytes = Objects.requireNonNull(in, DEFAULT_RESOURCE).readAllBytes();
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    shared.values().forEach(Fd::close);
    shared.clear();
  }
}
