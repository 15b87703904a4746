package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The daemon as a program: several of them, little space, little memory.
class DaemonsIT extends MachineTest {
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB");
  private static final Pattern PROPORTIONAL = Pattern.compile("(?m)^Pss:\\s+([0-9]+) kB");

  private static Peapod started() {
    Peapod peapod = new Peapod();
    peapod.start();
    peapod.client("image", "load", "-i", Fixtures.busybox().toString()).ok();
    return peapod;
  }

  @Test
  void twoDaemonsDoNotSeeEachOther() {
    try (Peapod one = started();
        Peapod two = started()) {
      one.apply(Manifests.sleeper("same-name"));
      two.apply(Manifests.sleeper("same-name"));
      String first = one.awaitReady("same-name").getIps(0);
      String second = two.awaitReady("same-name").getIps(0);
      assertThat(first).isNotEqualTo(second);
      one.delete("same-name");
      two.kill();
      one.stop();
      one.start();
      two.start();
      assertThat(one.pod("same-name")).isEmpty();
      assertThat(two.awaitReady("same-name").getIps(0)).isEqualTo(second);
      two.delete("same-name");
    }
  }

  @Test
  void aDirectoryHasOneDaemon() {
    try (Peapod peapod = started()) {
      Shell.Result second =
          Shell.run(
              Fixtures.HOME.resolve("target/peapod/bin/peapodd").toString(),
              "--root", peapod.root().toString(),
              "--state", peapod.state().toString(),
              "--socket", peapod.directory().resolve("second.sock").toString());
      assertThat(second.exit()).isNotZero();
      assertThat(second.err()).contains("another peapodd").contains(Long.toString(peapod.pid()));
      assertThat(peapod.client("get", "pods").exit()).isZero();
    }
  }

  @Test
  void systemdAsTheDriverNeedsVersionTwo() throws IOException {
    assumeThat(ProcessCgroup.IS_V2).isFalse();
    Path directory = Files.createTempDirectory("peat-driver");
    Shell.Result refused =
        Shell.run(
            Fixtures.HOME.resolve("target/peapod/bin/peapodd").toString(),
            "--root", directory.resolve("root").toString(),
            "--state", directory.resolve("state").toString(),
            "--socket", directory.resolve("peapod.sock").toString(),
            "--cgroup-driver", "systemd");
    Shell.run("rm", "-r", directory.toString()).ok();
    assertThat(refused.exit()).isNotZero();
    assertThat(refused.err())
        .contains("the cgroup driver systemd needs a machine with cgroup version 2 alone; this one has version 1");
  }

  @Test
  void tenPodsCostLittle() {
    try (Peapod peapod = started()) {
      for (int i = 0; i < 10; i++) {
        peapod.apply(Manifests.sleeper("pod-" + i));
      }
      for (int i = 0; i < 10; i++) {
        peapod.awaitReady("pod-" + i);
      }
      assertThat(value(RESIDENT, Path.of("/proc/" + peapod.pid() + "/status")))
          .as("KiB resident of the daemon")
          .isLessThan(150 * 1024);
      long own = 0;
      List<PodProcesses.Found> all = PodProcesses.of(peapod);
      for (PodProcesses.Found process : all) {
        if (process.isPause()) {
          own += value(PROPORTIONAL, Path.of("/proc/" + process.pid() + "/smaps_rollup"));
        } else {
          own += value(PROPORTIONAL, Path.of("/proc/" + process.parent() + "/smaps_rollup"));
        }
      }
      assertThat(all).hasSize(20);
      assertThat(own / 10).as("KiB proportional of one pod's pause and monitor").isLessThan(100);
      for (int i = 0; i < 10; i++) {
        peapod.delete("pod-" + i);
      }
    }
  }

  private static long value(Pattern pattern, Path file) {
    try {
      Matcher matcher = pattern.matcher(Files.readString(file));
      assertThat(matcher.find()).as("%s in %s", pattern, file).isTrue();
      return Long.parseLong(matcher.group(1));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void withoutSpaceNothingIsHalfDone() throws IOException {
    Peapod peapod = new Peapod();
    Path disk = peapod.directory().resolve("disk.img");
    Files.createDirectories(peapod.root());
    Shell.run("truncate", "-s", "64M", disk.toString()).ok();
    Shell.run("mkfs.ext4", "-q", disk.toString()).ok();
    Shell.run("mount", "-o", "loop", disk.toString(), peapod.root().toString()).ok();
    try {
      peapod.start();
      Path filler = peapod.root().resolve("filler");
      long free = Files.getFileStore(peapod.root()).getUsableSpace();
      Shell.run("fallocate", "-l", Long.toString(free - (1 << 20)), filler.toString()).ok();
      long before = Files.getFileStore(peapod.root()).getUsableSpace();
      Shell.Result full = peapod.client("image", "load", "-i", Fixtures.busybox().toString());
      assertThat(full.exit()).isNotZero();
      assertThat(full.err().toLowerCase(java.util.Locale.ROOT)).contains("no space");
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () ->
                  assertThat(Files.getFileStore(peapod.root()).getUsableSpace())
                      .as("what the attempt took is given back")
                      .isCloseTo(before, org.assertj.core.data.Offset.offset(64L << 10)));
      Files.delete(filler);
      // The daemon goes on.
      peapod.client("image", "load", "-i", Fixtures.busybox().toString()).ok();
      peapod.apply(Manifests.sleeper("later"));
      peapod.awaitReady("later");
      peapod.delete("later");
      peapod.stop();
    } finally {
      Shell.run("umount", peapod.root().toString()).ok();
      peapod.close();
    }
  }
}
