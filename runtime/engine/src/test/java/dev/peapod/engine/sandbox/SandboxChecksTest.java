package dev.peapod.engine.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.engine.model.DnsSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.PodMetadata;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.error.PeapodException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxChecksTest {
  private static SandboxSpec spec(
      String name, String hostname, String cgroup, Map<String, String> sysctls, NamespaceMode net) {
    return new SandboxSpec(
        new PodMetadata(name, "u", "n", 0),
        hostname,
        "",
        DnsSpec.OF_HOST,
        List.of(),
        Map.of(),
        Map.of(),
        "",
        cgroup,
        net,
        NamespaceMode.POD,
        NamespaceMode.POD,
        sysctls,
        false,
        null,
        null,
        ResourceSpec.NONE);
  }

  private static void assertRefused(SandboxSpec spec, String field) {
    assertThatThrownBy(() -> SandboxChecks.check(spec))
        .isInstanceOf(PeapodException.class)
        .hasMessageStartingWith("sandbox: " + field);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "-a", "a_b", "a\nb", "a..b", "a/b"})
  void refusesHostNames(String hostname) {
    assertRefused(spec("p", hostname, "", Map.of(), NamespaceMode.POD), "hostname");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a/../b", "/", "a\nb", "/a/./b"})
  void refusesCgroups(String cgroup) {
    assertRefused(spec("p", "", cgroup, Map.of(), NamespaceMode.POD), "cgroup_parent");
  }

  @Test
  void refusesSysctlsOfOthers() {
    Map<String, String> network = Map.of("net.ipv4.ip_forward", "1");
    assertThatCode(() -> SandboxChecks.check(spec("p", "", "", network, NamespaceMode.POD)))
        .doesNotThrowAnyException();
    assertRefused(spec("p", "", "", network, NamespaceMode.NODE), "sysctls");
    for (String name : List.of("kernel.panic", "vm.swappiness", "net", "../x.y", "a b.c", "")) {
      assertRefused(spec("p", "", "", Map.of(name, "1"), NamespaceMode.POD), "sysctls");
    }
    for (String value : List.of("1\n2", "1+2", "1\0")) {
      assertRefused(
          spec("p", "", "", Map.of("net.ipv4.ip_forward", value), NamespaceMode.POD), "sysctls");
    }
  }

  @Test
  void refusesNamelessPods() {
    assertRefused(spec("", "", "", Map.of(), NamespaceMode.POD), "metadata.name");
    assertRefused(spec("a\nb", "", "", Map.of(), NamespaceMode.POD), "metadata.name");
  }

  @Test
  void makesAHostName() {
    assertThat(SandboxChecks.hostname(spec("web", "", "", Map.of(), NamespaceMode.POD)))
        .isEqualTo("web");
    assertThat(SandboxChecks.hostname(spec("web", "h", "", Map.of(), NamespaceMode.POD)))
        .isEqualTo("h");
    assertThat(SandboxChecks.hostname(spec("a_b", "", "", Map.of(), NamespaceMode.POD)))
        .isEqualTo("pod");
  }
}
