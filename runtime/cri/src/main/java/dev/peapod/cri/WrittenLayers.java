package dev.peapod.cri;

import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.error.PeapodException;
import dev.peapod.image.FsUsage;
import dev.peapod.image.Snapshots;
import dev.peapod.proto.runtime.v1.FilesystemIdentifier;
import dev.peapod.proto.runtime.v1.FilesystemUsage;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

/// What containers have written to their own layers. Telling it means to walk over all their files, so who asks for many
/// containers gets what was found some seconds ago, and has it found anew for who asks next. Thread-safe.
final class WrittenLayers {
  private static final System.Logger LOG = System.getLogger(WrittenLayers.class.getName());

  /// What is older is measured anew, behind who asks.
  private static final long FRESH = Duration.ofSeconds(10).toNanos();

  /// What is older is not told: nobody has asked for so long.
  private static final long OLD = Duration.ofSeconds(60).toNanos();

  private record Measured(FilesystemUsage usage, long at) {}

  private final Snapshots snapshots;
  private final Clock clock;
  private final Map<String, Measured> last = new ConcurrentHashMap<>();
  private final Set<String> wanted = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean measuring = new AtomicBoolean();

  WrittenLayers(Snapshots snapshots, Clock clock) {
    this.snapshots = snapshots;
    this.clock = clock;
  }

  /// As it is now.
  FilesystemUsage now(String container) {
    long at = System.nanoTime();
    FsUsage usage = snapshots.usage(container);
    FilesystemUsage told =
        FilesystemUsage.newBuilder()
            .setTimestamp(Nanos.now(clock))
            .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(usage.directory().toString()))
            .setUsedBytes(StatsCalls.value(usage.bytes()))
            .setInodesUsed(StatsCalls.value(usage.inodes()))
            .build();
    last.put(container, new Measured(told, at));
    return told;
  }

  /// As it was within the last minute, which its timestamp tells.
  FilesystemUsage lately(String container) {
    Measured measured = last.get(container);
    long age = measured == null ? OLD : System.nanoTime() - measured.at;
    if (measured == null || age >= OLD) {
      return now(container);
    }
    if (age >= FRESH && wanted.add(container)) {
      measureWanted();
    }
    return measured.usage;
  }

  /// One thread measures them all.
  private void measureWanted() {
    if (measuring.compareAndSet(false, true)) {
      Thread.ofVirtual()
          .name("written layers")
          .start(
              () -> {
                try {
                  measureAll();
                } finally {
                  measuring.set(false);
                }
                if (!wanted.isEmpty()) {
                  measureWanted();
                }
              });
    }
  }

  private void measureAll() {
    for (String container : wanted) {
      try {
        now(container);
      } catch (PeapodException e) {
        LOG.log(
            System.Logger.Level.WARNING,
            "what container {0} has written is not known: {1}",
            container,
            e.getMessage());
        last.remove(container);
      }
      wanted.remove(container);
    }
  }

  /// Forgets what is not there any more.
  void forgetOthers(List<ContainerStatus> all) {
    if (last.size() > all.size()) {
      last.keySet().retainAll(all.stream().map(ContainerStatus::id).collect(Collectors.toSet()));
    }
  }
}
