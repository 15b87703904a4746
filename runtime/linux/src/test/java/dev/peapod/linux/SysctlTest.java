package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.peapod.error.PeapodException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SysctlTest {
  @Test
  void parametersAreReadAndWrittenInTheirNamespace() throws Exception {
    Root.assumed();
    assertThat(Sysctl.get("kernel.ostype")).isEqualTo("Linux");
    String here = Sysctl.get("net.ipv4.ip_forward");
    try (Child child = Child.start("unshare", "--net", "sleep", "60")) {
      Path own = Path.of("/proc/self/ns/net");
      Path other = Path.of("/proc/" + child.pid() + "/ns/net");
      await()
          .until(() -> !Files.readSymbolicLink(other).equals(Files.readSymbolicLink(own)));
      try (Fd namespace = Namespaces.open(child.pid(), Namespaces.Type.NET);
          Fd forward =
              Namespaces.within(namespace, () -> Sysctl.open("net.ipv4.ip_forward"))) {
        String changed = here.equals("1") ? "0" : "1";
        Sysctl.set(forward, changed);
        assertThat(Namespaces.within(namespace, () -> Sysctl.get("net/ipv4/ip_forward")))
            .isEqualTo(changed);
        assertThat(Sysctl.get("net.ipv4.ip_forward")).isEqualTo(here);
      }
    }
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(() -> Sysctl.get("kernel.none-such"))
        .matches(e -> e.errno() == Errno.ENOENT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../x", "kernel/../x", "kernel..x", "/etc/passwd", "a b", "a\nb"})
  void namesThatAreNoneAreRefused(String name) {
    assertThatExceptionOfType(PeapodException.class).isThrownBy(() -> Sysctl.path(name));
  }

  @Test
  void valuesOfSeveralLinesAreRefused() {
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> Sysctl.set("kernel.ostype", "a\nb"));
    assertThat(Sysctl.path("net/ipv4/conf/eth0.5/forwarding"))
        .isEqualTo("/proc/sys/net/ipv4/conf/eth0.5/forwarding");
  }

  @Test
  void ticksSinceBootAreAMoment() {
    ProcessIdentity self =
        ProcessIdentity.of((int) ProcessHandle.current().pid()).orElseThrow();
    Instant java = ProcessHandle.current().info().startInstant().orElseThrow();
    assertThat(Duration.between(java, KernelClock.instant(self.startTime())).abs())
        .isLessThan(Duration.ofSeconds(2));
  }
}
