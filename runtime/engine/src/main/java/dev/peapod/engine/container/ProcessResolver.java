package dev.peapod.engine.container;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.EnvVar;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.error.PeapodException;
import dev.peapod.image.ImageConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Puts request and image together: command, environment, working directory, user, stop signal.
final class ProcessResolver {
  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private ProcessResolver() {}

  /// @param hostname the pod's
  /// @throws PeapodException INVALID naming what is wrong
  static ResolvedProcess resolve(
      ContainerSpec spec, ImageConfig image, String hostname, RootFiles files) {
    UserResolver.Resolved user =
        new UserResolver(spec.name(), files).resolve(spec.security(), image.user());
    return new ResolvedProcess(
        argv(spec, image),
        env(spec, image, hostname, user.home()),
        workingDir(spec, image),
        user.ids(),
        stopSignal(spec, image));
  }

  private static List<String> argv(ContainerSpec spec, ImageConfig image) {
    List<String> argv = new ArrayList<>();
    if (spec.command().isEmpty()) {
      argv.addAll(image.entrypoint());
      argv.addAll(spec.args().isEmpty() ? image.cmd() : spec.args());
    } else {
      argv.addAll(spec.command());
      argv.addAll(spec.args());
    }
    if (argv.isEmpty() || argv.getFirst().isEmpty()) {
      throw PeapodException.invalid(
          "container \""
              + spec.name()
              + "\": neither the request nor the image names a command to run");
    }
    return argv;
  }

  private static List<String> env(
      ContainerSpec spec, ImageConfig image, String hostname, String home) {
    Map<String, String> env = new LinkedHashMap<>();
    env.put("PATH", DEFAULT_PATH);
    env.put("HOSTNAME", hostname);
    if (spec.tty()) {
      env.put("TERM", "xterm");
    }
    for (String entry : image.env()) {
      int equals = entry.indexOf('=');
      if (equals > 0) {
        env.put(entry.substring(0, equals), entry.substring(equals + 1));
      }
    }
    for (EnvVar variable : spec.env()) {
      env.put(variable.name(), variable.value());
    }
    env.putIfAbsent("HOME", home);
    for (String name : List.of("HOME", "USER", "LOGNAME")) {
      String value = env.getOrDefault(name, "");
      if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0) {
        // Programs in the image write them into lines of passwd and the like.
        throw PeapodException.invalid(
            "container \"" + spec.name() + "\": envs: " + name + " has a line break in it");
      }
    }
    return env.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
  }

  private static String workingDir(ContainerSpec spec, ImageConfig image) {
    String dir = spec.workingDir().isEmpty() ? image.workingDir() : spec.workingDir();
    if (dir.isEmpty()) {
      return "/";
    }
    if (!dir.startsWith("/")) {
      throw PeapodException.invalid(
          "container \"" + spec.name() + "\": working directory \"" + dir + "\" is not absolute");
    }
    if ((Path.of(dir).normalize() + "/").startsWith("/proc/")) {
      throw PeapodException.invalid(
          "container \""
              + spec.name()
              + "\": working directory \""
              + dir
              + "\" is in /proc, where descriptors could lead out of the container");
    }
    return dir;
  }

  private static int stopSignal(ContainerSpec spec, ImageConfig image) {
    if (spec.stopSignal() != 0) {
      return spec.stopSignal();
    }
    return image
        .stopSignal()
        .map(SignalNames::parse)
        .map(signal -> signal.orElse(SignalNames.TERM))
        .orElse(SignalNames.TERM);
  }
}
