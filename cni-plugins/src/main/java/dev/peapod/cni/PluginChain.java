package dev.peapod.cni;

import dev.peapod.cni.host.PodNamespace;
import dev.peapod.cni.plugin.Plugin;
import dev.peapod.cni.plugin.PluginCall;
import dev.peapod.cni.plugin.PluginConfig;
import dev.peapod.cni.plugin.Plugins;
import dev.peapod.cni.plugin.PortMap;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Runs a list of plugins for one sandbox: adds in order, deletes in reverse. Ours and executed
/// ones may stand in one list.
final class PluginChain {
  private final Plugins plugins;
  private final Records.Record record;

  PluginChain(Plugins plugins, Records.Record record) {
    this.plugins = plugins;
    this.record = record;
  }

  /// Adds. If a plugin fails, it and those before it are undone, and the error tells of undoing
  /// that failed too.
  ///
  /// @throws Undone if all was undone
  CniResult add(PodNamespace pod) {
    Optional<CniResult> result = Optional.empty();
    List<PluginConfig> configs = record.list().plugins();
    for (int i = 0; i < configs.size(); i++) {
      try {
        Plugin plugin = plugins.find(configs.get(i).type());
        result = Optional.of(plugin.add(call(configs.get(i), Optional.of(pod), result, false)));
      } catch (RuntimeException e) {
        PeapodException cause = named(e, configs.get(i), "ADD");
        // Without the result: a plugin that failed half-way must look for what is its own.
        List<String> failures = delete(configs.subList(0, i + 1), Optional.empty(), false);
        if (failures.isEmpty()) {
          throw new Undone(cause);
        }
        throw new PeapodException(
            cause.kind(),
            cause.getMessage() + "; undoing it failed too: " + String.join("; ", failures),
            cause);
      }
    }
    return result.orElse(CniResult.EMPTY);
  }

  /// Adds the host ports of the record to what was made without them.
  void addPorts() {
    portMapCalls().forEach(plugins.portMap()::add);
  }

  /// Deletes in reverse, going on past a plugin that fails.
  ///
  /// @param linksGo whether the namespace is about to go and takes its links with it
  /// @return what failed, a sentence each
  List<String> delete(boolean linksGo) {
    return delete(record.list().plugins(), record.result(), linksGo);
  }

  void check(PodNamespace pod) {
    for (PluginConfig config : record.list().plugins()) {
      try {
        plugins
            .find(config.type())
            .check(call(config, Optional.of(pod), record.result(), false));
      } catch (RuntimeException e) {
        throw named(e, config, "CHECK");
      }
    }
  }

  /// The call of our host-port plugins in this list, as in a check.
  List<PluginCall> portMapCalls() {
    return record.list().plugins().stream()
        .filter(config -> plugins.find(config.type()) instanceof PortMap)
        .map(config -> call(config, Optional.empty(), record.result(), false))
        .toList();
  }

  private List<String> delete(
      List<PluginConfig> configs, Optional<CniResult> result, boolean linksGo) {
    List<String> failures = new ArrayList<>();
    for (PluginConfig config : configs.reversed()) {
      try {
        plugins.find(config.type()).delete(call(config, Optional.empty(), result, linksGo));
      } catch (RuntimeException e) {
        failures.add(named(e, config, "DEL").getMessage());
      }
    }
    return failures;
  }

  private PluginCall call(
      PluginConfig config,
      Optional<PodNamespace> pod,
      Optional<CniResult> result,
      boolean linksGo) {
    return new PluginCall(
        config,
        record.sandboxId(),
        record.interfaceName(),
        pod.isPresent() || Files.exists(record.netns())
            ? Optional.of(record.netns())
            : Optional.empty(),
        pod,
        record.args(),
        result,
        config.takes(PortMap.CAPABILITY) ? record.portMappings() : List.of(),
        linksGo);
  }

  private static PeapodException named(RuntimeException e, PluginConfig config, String command) {
    return switch (e) {
      case PeapodException known -> known;
      case KernelException kernel ->
          PeapodException.internal(
              "network \""
                  + config.network()
                  + "\": plugin "
                  + config.type()
                  + " failed to "
                  + command
                  + ": "
                  + kernel.getMessage(),
              kernel);
      default ->
          PeapodException.internal(
              "network \"" + config.network() + "\": plugin " + config.type() + ": " + e, e);
    };
  }

  /// An add that failed and of which nothing is left.
  static final class Undone extends RuntimeException {
    private final PeapodException reason;

    Undone(PeapodException reason) {
      super(reason);
      this.reason = reason;
    }

    PeapodException reason() {
      return reason;
    }
  }
}
