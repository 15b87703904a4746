package dev.peapod.engine.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.Open;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeccompProfileTest {
  private static final int ALLOW = 0x7fff_0000;
  private static final int EPERM = 0x0005_0001;
  private static final int ENOSYS = 0x0005_0026;
  private static final int EAFNOSUPPORT = 0x0005_0061;

  // Numbers on x86-64.
  private static final int GETPID = 39;
  private static final int SOCKET = 41;
  private static final int CLONE = 56;
  private static final int UNAME = 63;
  private static final int PERSONALITY = 135;
  private static final int CHROOT = 161;
  private static final int MOUNT = 165;
  private static final int SETHOSTNAME = 170;
  private static final int KEYCTL = 250;
  private static final int BPF = 321;
  private static final int CLONE3 = 435;
  private static final int NOT_THERE_YET = 600;
  private static final int X32 = 0x4000_0000;

  @BeforeEach
  void thisArchitecture() {
    assumeTrue("amd64".equals(System.getProperty("os.arch")), "the numbers are those of x86-64");
  }

  private static FilterMachine ofDefault(String... added) {
    long capabilities = CapabilitySets.DEFAULT;
    for (String name : added) {
      capabilities |= CapabilitySets.bit(name).orElseThrow();
    }
    try (SeccompPrograms programs = new SeccompPrograms();
        SeccompPrograms.Program program = programs.ofDefault(capabilities)) {
      return machine(program);
    }
  }

  private static FilterMachine of(String json) {
    try (SeccompPrograms programs = new SeccompPrograms();
        SeccompPrograms.Program program = programs.of("profile", json, 0)) {
      return machine(program);
    }
  }

  private static FilterMachine machine(SeccompPrograms.Program program) {
    try (Fd fd = Fd.open("/proc/self/fd/" + program.fd().number(), Open.RDONLY)) {
      return new FilterMachine(FdIo.readAll(fd, 1 << 16));
    }
  }

  private static int decide(FilterMachine machine, int call, long... arguments) {
    return machine.decide(FilterMachine.X86_64, call, arguments);
  }

  @Test
  void theDefaultAllowsWhatProgramsNeedAndRefusesTheRest() {
    FilterMachine machine = ofDefault();
    assertThat(decide(machine, GETPID)).isEqualTo(ALLOW);
    assertThat(decide(machine, GETPID + X32)).as("as a kernel without x32 answers").isEqualTo(ENOSYS);
    assertThat(machine.decide(FilterMachine.I386, 20)).as("getpid of 32 bits").isEqualTo(ALLOW);
    assertThat(decide(machine, CHROOT)).as("with CAP_SYS_CHROOT").isEqualTo(ALLOW);
    assertThat(decide(machine, MOUNT)).isEqualTo(EPERM);
    assertThat(decide(machine, SETHOSTNAME)).isEqualTo(EPERM);
    assertThat(decide(machine, KEYCTL)).isEqualTo(EPERM);
    assertThat(decide(machine, BPF)).isEqualTo(EPERM);
    assertThat(decide(machine, NOT_THERE_YET)).isEqualTo(ENOSYS);
  }

  @Test
  void theDefaultHidesNewNamespacesAndAddressFamilies() {
    FilterMachine machine = ofDefault();
    assertThat(decide(machine, CLONE, 0x3d0f00)).as("a thread").isEqualTo(ALLOW);
    for (long namespace : new long[] {1 << 17, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30}) {
      assertThat(decide(machine, CLONE, namespace | 17)).isEqualTo(EPERM);
    }
    assertThat(decide(machine, CLONE, 0x7e02_0011)).isEqualTo(EPERM);
    assertThat(decide(machine, CLONE3)).isEqualTo(ENOSYS);
    assertThat(decide(machine, SOCKET, 2)).isEqualTo(ALLOW);
    assertThat(decide(machine, SOCKET, 44)).isEqualTo(ALLOW);
    assertThat(decide(machine, SOCKET, 40)).isEqualTo(EAFNOSUPPORT);
    assertThat(decide(machine, SOCKET, 1L << 32 | 40)).as("cut by the kernel").isEqualTo(ENOSYS);
    assertThat(decide(machine, PERSONALITY, 0xffff_ffffL)).isEqualTo(ALLOW);
    assertThat(decide(machine, PERSONALITY, 0x40000)).isEqualTo(ENOSYS);
  }

  @Test
  void theDefaultFollowsCapabilities() {
    FilterMachine admin = ofDefault("SYS_ADMIN");
    assertThat(decide(admin, MOUNT)).isEqualTo(ALLOW);
    assertThat(decide(admin, SETHOSTNAME)).isEqualTo(ALLOW);
    assertThat(decide(admin, CLONE, 0x7e02_0011)).isEqualTo(ALLOW);
    assertThat(decide(admin, CLONE3)).isEqualTo(ALLOW);
    FilterMachine bpf = ofDefault("CAP_BPF");
    assertThat(decide(bpf, BPF)).isEqualTo(ALLOW);
    assertThat(decide(bpf, MOUNT)).isEqualTo(EPERM);
    assertThat(decide(ofDefault("SYS_ADMIN", "BPF"), BPF)).as("said twice").isEqualTo(ALLOW);
  }

  @Test
  void argumentsErrorsAndActions() {
    FilterMachine machine =
        of(
            """
            {"defaultAction": "SCMP_ACT_ALLOW",
             "syscalls": [
               {"names": ["uname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18},
               {"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"},
               {"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"},
               {"names": ["bpf"], "action": "SCMP_ACT_KILL"},
               {"names": ["chroot"], "action": "SCMP_ACT_TRAP"},
               {"names": ["sethostname"], "action": "SCMP_ACT_TRACE", "errnoRet": 7},
               {"names": ["clone3"], "action": "SCMP_ACT_LOG"},
               {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [
                 {"index": 0, "value": 8, "op": "SCMP_CMP_EQ"},
                 {"index": 0, "value": 9, "op": "SCMP_CMP_EQ"}]},
               {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [
                 {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"},
                 {"index": 1, "value": 15, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"},
                 {"index": 2, "value": 18446744073709551615, "op": "SCMP_CMP_LT"}]}]}
            """);
    assertThat(decide(machine, UNAME)).isEqualTo(0x0005_0012);
    assertThat(decide(machine, KEYCTL)).isEqualTo(EPERM);
    assertThat(decide(machine, MOUNT)).isEqualTo(0x8000_0000);
    assertThat(decide(machine, BPF)).isZero();
    assertThat(decide(machine, CHROOT)).isEqualTo(0x0003_0000);
    assertThat(decide(machine, SETHOSTNAME)).isEqualTo(0x7ff0_0007);
    assertThat(decide(machine, CLONE3)).isEqualTo(0x7ffc_0000);
    assertThat(decide(machine, PERSONALITY, 8)).isEqualTo(EPERM);
    assertThat(decide(machine, PERSONALITY, 9)).isEqualTo(EPERM);
    assertThat(decide(machine, PERSONALITY, 10)).isEqualTo(ALLOW);
    assertThat(decide(machine, SOCKET, 2, 0x83, 5)).isEqualTo(EPERM);
    assertThat(decide(machine, SOCKET, 2, 0x84, 5)).isEqualTo(ALLOW);
    assertThat(decide(machine, SOCKET, 3, 0x83, 5)).isEqualTo(ALLOW);
    assertThat(decide(machine, SOCKET, 2, 0x83, -1)).isEqualTo(ALLOW);
    assertThat(decide(machine, GETPID)).isEqualTo(ALLOW);
  }

  @Test
  void whatIsAllowedMayBeUnknownButNotWhatIsRefused() {
    FilterMachine machine =
        of(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
             "syscalls": [{"names": ["no_such_call", "getpid"], "action": "SCMP_ACT_ALLOW"}]}
            """);
    assertThat(decide(machine, GETPID)).isEqualTo(ALLOW);
    assertThat(decide(machine, UNAME)).isEqualTo(ENOSYS);
    assertThatThrownBy(
            () ->
                of(
                    """
                    {"defaultAction": "SCMP_ACT_ALLOW",
                     "syscalls": [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}
                    """))
        .hasMessageStartingWith("profile: ")
        .hasMessageContaining("\"no_such_call\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          []                                                                   | line 1
          {                                                                    | line 1
          {}                                                                   | defaultAction: is missing
          {"defaultAction": "SCMP_ACT_MAYBE"}                                  | "SCMP_ACT_MAYBE"
          {"defaultAction": "SCMP_ACT_NOTIFY"}                                 | SCMP_ACT_NOTIFY is not supported
          {"defaultAction": "SCMP_ACT_ALLOW", "sycalls": []}                   | "sycalls"
          {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}            | has no errnoRet
          {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000}         | 5000
          {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EPERM"}         | EPERM
          {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x"}        | listenerPath
          {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]} | flags
          {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]} | "z80"
          {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]}        | "x86"
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"]}]} | syscalls[0].action
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]} | syscalls[0].names
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]} | args[0].index
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "=="}]}]} | args[0].op
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]}]} | args[0].value
          {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_FLY"]}}]} | CAP_FLY
          """)
  void aBadProfileIsRefusedByName(String json, String named) {
    assertThatThrownBy(() -> of(json))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.INVALID))
        .hasMessageStartingWith("profile")
        .hasMessageContaining(named);
  }

  @Test
  void rulesMayAskForArchitectureAndKernel() {
    String json =
        """
        {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"],
         "syscalls": [
           {"names": ["getpid"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64"]}},
           {"names": ["uname"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
           {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}},
           {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}}]}
        """;
    SeccompProfile profile = SeccompProfile.parse("profile", json);
    assertThat(profile.filter(0, new Machine("amd64", "6.1.0-18-amd64")).rules())
        .extracting(r -> r.syscall())
        .containsExactly("getpid", "uname");
    assertThat(profile.filter(0, new Machine("arm64", "4.7.3")).rules())
        .extracting(r -> r.syscall())
        .containsExactly("mount", "bpf");
    assertThat(profile.filter(0, new Machine("arm64", "5.0-rc1")).architectures())
        .containsExactly("x86");
  }

  @Test
  void capabilitySetsAreExact() {
    long chown = CapabilitySets.bit("CHOWN").orElseThrow();
    long netAdmin = CapabilitySets.bit("cap_net_admin").orElseThrow();
    assertThat(granted("", "")).isEqualTo(CapabilitySets.DEFAULT);
    assertThat(granted("NET_ADMIN", "CHOWN"))
        .isEqualTo((CapabilitySets.DEFAULT | netAdmin) & ~chown);
    assertThat(granted("CAP_NET_ADMIN", "ALL")).isEqualTo(netAdmin);
    assertThat(granted("ALL", "CAP_CHOWN")).isEqualTo(CapabilitySets.ALL & ~chown);
    assertThat(granted("ALL", "ALL")).isZero();
    assertThat(granted("CHOWN", "CHOWN")).isEqualTo(CapabilitySets.DEFAULT & ~chown);
    assertThatThrownBy(() -> granted("FLY", "")).hasMessageContaining("\"FLY\"");
    assertThatThrownBy(() -> granted("", "CAP_")).hasMessageContaining("\"CAP_\"");
  }

  private static long granted(String add, String drop) {
    SecuritySpec d = SecuritySpec.DEFAULT;
    SecuritySpec security =
        new SecuritySpec(
            add.isEmpty() ? d.addCapabilities() : List.of(add),
            drop.isEmpty() ? d.dropCapabilities() : List.of(drop),
            d.ambientCapabilities(),
            false,
            NamespaceMode.POD,
            "",
            null,
            null,
            "",
            d.supplementalGroups(),
            false,
            false,
            false,
            d.maskedPaths(),
            d.readonlyPaths(),
            d.seccomp(),
            d.apparmor(),
            null);
    return CapabilitySets.of("c", security).granted();
  }
}
