package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The tests of version 2's cgroups, of systemd's slices, of AppArmor and of checkpoints, with real pods, in a guest of its own: cgroup
/// version 2 and nothing else, under Debian's systemd and Debian's kernel, which is of the oldest line supported. One boot for all of them, and a short one for
/// those of SELinux, for which no kernel has room beside AppArmor; `tests/guest` says how.
class GuestIT {
  private static final List<String> CLASSES =
      List.of(
          "dev.peapod.linux.cgroup.CgroupsV2Test",
          ResourcesIT.class.getName(),
          SystemdSlices.class.getName());

  private static final List<String> SELINUX = List.of(SelinuxLabels.class.getName());

  /// For trying some of them by hand, with commas between.
  private static final List<String> CHOSEN =
      List.of(
          System.getProperty(
                  "peapod.tests.guest",
                  Stream.concat(CLASSES.stream(), SELINUX.stream()).collect(Collectors.joining(",")))
              .split(","));

  private static final Path GUEST = Fixtures.HOME.resolve("tests/guest");
  private static final Path MADE = Fixtures.HOME.resolve("tests/target/guest");
  private static final long MINUTES = 30;

  private static List<String> java = List.of();

  static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(d -> Files.isExecutable(Path.of(d, program)));
  }

  @BeforeAll
  static void makeTheGuest() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "the guest needs root");
    assumeTrue(
        isInstalled("qemu-system-x86_64"),
        "qemu-system-x86_64 is not installed (package qemu-system-x86), so there is no guest to run tests in");
    Shell.run(GUEST.resolve("make").toString(), MADE.toString()).ok();
    java = GuestJava.make(MADE);
  }

  @TestFactory
  Stream<DynamicTest> inTheGuest() throws IOException, InterruptedException {
    return run(CLASSES, "results", Map.of());
  }

  @TestFactory
  Stream<DynamicTest> whereSelinuxEnforcesAPolicy() throws IOException, InterruptedException {
    return run(SELINUX, "results-selinux", Map.of("GUEST_POLICY", MADE.resolve("policy").toString()));
  }

  private static Stream<DynamicTest> run(
      List<String> all, String name, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> classes = all.stream().filter(CHOSEN::contains).toList();
    if (classes.isEmpty()) {
      return Stream.empty();
    }
    Path results = Files.createDirectories(MADE.resolve(name));
    Path tests = results.resolve("tests");
    Files.deleteIfExists(tests);
    Path console = results.resolve("console");
    Process guest = boot(results, console, classes, environment);
    if (!guest.waitFor(MINUTES, TimeUnit.MINUTES)) {
      guest.descendants().forEach(ProcessHandle::destroyForcibly);
    }
    assertThat(tests).as("the guest's console: %s", Files.readString(console)).exists();
    List<DynamicTest> found = parse(Files.readAllLines(tests));
    found.add(
        DynamicTest.dynamicTest(
            "the guest's end",
            () -> assertThat(guest.waitFor()).as(Files.readString(console)).isZero()));
    return found.stream();
  }

  private static Process boot(
      Path results, Path console, List<String> classes, Map<String, String> environment)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(GUEST.resolve("boot").toString(), MADE.toString(), results.toString()));
    command.addAll(java);
    command.add("/results/tests");
    command.addAll(classes);
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(console.toFile());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static List<DynamicTest> parse(List<String> lines) {
    List<DynamicTest> tests = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith("\t")) {
        continue;
      }
      String[] fields = lines.get(i).split("\t", 3);
      List<String> detail =
          lines.subList(i + 1, lines.size()).stream().takeWhile(l -> l.startsWith("\t")).toList();
      tests.add(
          DynamicTest.dynamicTest(
              fields[1],
              () -> {
                // Debian has criu, but not every Ubuntu does. Apart from that every one of these tests is meant to run
                // there, and a skip is a failure.
                assumeFalse(
                    fields[0].equals("skipped") && !isInstalled("criu"), () -> String.join("\n", detail));
                assertThat(fields[0]).as(String.join("\n", detail)).isEqualTo("ok");
              }));
    }
    return tests;
  }
}
