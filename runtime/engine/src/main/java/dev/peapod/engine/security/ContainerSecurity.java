package dev.peapod.engine.security;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.SecurityProfile;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.engine.state.ExecLabel;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Turns what requests say of security into operations of launch plans. A container's main process
/// and every command that is executed in it get the same. Thread-safe.
public final class ContainerSecurity implements AutoCloseable {
  private static final Logger LOG = System.getLogger(ContainerSecurity.class.getName());
  private static final int MAX_PROFILE = 1 << 20;

  private final SeccompPrograms programs = new SeccompPrograms();
  private final DefaultAppArmor apparmor = new DefaultAppArmor();

  /// What bounds processes, whoever makes them.
  ///
  /// @param capabilities as a bit set
  /// @param filtered whether a seccomp filter is on them
  /// @param apparmor the profile that confines them
  public record Limits(
      long capabilities, boolean noNewPrivileges, boolean filtered, Optional<String> apparmor) {}

  /// How AppArmor is told a profile; SELinux takes the label alone.
  private static final String EXEC = "exec ";

  /// What a process gets: descriptors to be given to its plan first, operations to be added last.
  public static final class Grant implements AutoCloseable {
    private final CapabilitySets capabilities;
    private final boolean noNewPrivileges;
    private final @Nullable ExecLabel label;
    private final String fileLabel;
    private final SeccompPrograms.@Nullable Program program;
    private int slot = -1;

    private Grant(
        CapabilitySets capabilities,
        boolean noNewPrivileges,
        @Nullable ExecLabel label,
        String fileLabel,
        SeccompPrograms.@Nullable Program program) {
      this.capabilities = capabilities;
      this.noNewPrivileges = noNewPrivileges;
      this.label = label;
      this.fileLabel = fileLabel;
      this.program = program;
    }

    /// The most that its processes may have.
    public Limits limits() {
      return new Limits(
          capabilities.granted(),
          noNewPrivileges,
          program != null,
          Optional.ofNullable(label)
              .filter(l -> l.text().startsWith(EXEC))
              .map(l -> l.text().substring(EXEC.length())));
    }

    /// What SELinux calls the files that are made for it; `""` for what the kernel calls them.
    public String fileLabel() {
      return fileLabel;
    }

    /// Gives the plan the descriptors that it needs.
    public void give(LaunchPlan.Builder plan) {
      if (program != null) {
        slot = plan.give(program.fd());
      }
    }

    /// Adds the label, as long as the process has its privileges.
    public void label(LaunchPlan.Builder plan) {
      if (label != null) {
        plan.add(new Operation.ExecLabel(label.attribute(), label.text()));
      }
    }

    /// Adds capabilities, no-new-privileges and the filter. After the filter only the execution may
    /// come: it may refuse anything else.
    public void confine(LaunchPlan.Builder plan) {
      // A filter is loaded by whoever can gain nothing any more, or by CAP_SYS_ADMIN.
      plan.add(capabilities.operation(program != null && !noNewPrivileges));
      if (noNewPrivileges) {
        plan.add(new Operation.NoNewPrivileges());
      }
      if (program != null) {
        plan.add(new Operation.Seccomp(slot, program.flags()));
      }
    }

    @Override
    public void close() {
      if (program != null) {
        program.close();
      }
    }
  }

  /// Reads what the request names. Everything that could be wrong with it is found here.
  ///
  /// @throws PeapodException INVALID naming the field
  public ResolvedSecurity resolve(ContainerSpec spec) {
    String field = "container \"" + spec.name() + "\": security_context.selinux_options";
    Optional<SelinuxContext> selinux =
        Optional.ofNullable(spec.security().selinux())
            .map(asked -> SelinuxContext.of(field, asked));
    ResolvedSecurity resolved =
        new ResolvedSecurity(
            seccompProfile(spec),
            Labels.resolve(spec, selinux, apparmor).orElse(null),
            selinux.map(SelinuxContext::files).orElse(""),
            Devices.resolve(spec));
    grant(spec, resolved).close();
    return resolved;
  }

  /// What a process of the container gets.
  public Grant grant(ContainerSpec spec, ResolvedSecurity resolved) {
    SecuritySpec security = spec.security();
    CapabilitySets capabilities = CapabilitySets.of(spec.name(), security);
    return new Grant(
        capabilities,
        security.noNewPrivileges(),
        resolved.label(),
        resolved.fileLabel(),
        program(spec, resolved, capabilities.granted()).orElse(null));
  }

  private Optional<SeccompPrograms.Program> program(
      ContainerSpec spec, ResolvedSecurity resolved, long capabilities) {
    if (spec.security().privileged()) {
      return Optional.empty();
    }
    return switch (spec.security().seccomp().kind()) {
      case UNCONFINED -> Optional.empty();
      case RUNTIME_DEFAULT -> Optional.of(programs.ofDefault(capabilities));
      case LOCALHOST -> {
        String text = resolved.seccompProfile();
        if (text == null) {
          throw PeapodException.internal(
              title(spec) + "the text of its profile is not there", new IllegalStateException());
        }
        yield Optional.of(programs.of(title(spec), text, capabilities));
      }
    };
  }

  private static String title(ContainerSpec spec) {
    return "container \""
        + spec.name()
        + "\": security_context.seccomp: profile \""
        + spec.security().seccomp().name()
        + "\"";
  }

  private static @Nullable String seccompProfile(ContainerSpec spec) {
    SecurityProfile profile = spec.security().seccomp();
    if (profile.kind() != SecurityProfile.Kind.LOCALHOST || spec.security().privileged()) {
      return null;
    }
    if (!profile.name().startsWith("/")) {
      throw PeapodException.invalid(title(spec) + " is not an absolute path");
    }
    Path file = Path.of(profile.name());
    if (!Files.isRegularFile(file)) {
      throw PeapodException.invalid(title(spec) + " is not a file of this machine");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_PROFILE + 1);
      if (bytes.length > MAX_PROFILE) {
        throw PeapodException.invalid(title(spec) + " is longer than 1 MiB");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, title(spec) + " can not be read: " + e.getMessage(), e);
    }
  }

  /// Compiles the default profile for the default capabilities, and for none, and loads that of AppArmor, so that the
  /// first container that asks for it need not wait.
  public void prepare() {
    apparmor.name();
    try {
      programs.ofDefault(CapabilitySets.DEFAULT).close();
      programs.ofDefault(0).close();
    } catch (PeapodException e) {
      LOG.log(Level.WARNING, "no seccomp profile can be applied: {0}", e.getMessage());
    }
  }

  @Override
  public void close() {
    programs.close();
  }
}
