package dev.peapod.cri;

import dev.peapod.engine.container.SignalNames;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.Signal;
import java.util.HashMap;
import java.util.Map;

/// Signals between the CRI's names and the kernel's numbers (signal(7)).
final class SignalMapping {
  private static final Map<Integer, Signal> BY_NUMBER = new HashMap<>();

  static {
    for (Signal signal : Signal.values()) {
      if (signal != Signal.UNRECOGNIZED && signal != Signal.SIGNAL_RUNTIME_DEFAULT) {
        BY_NUMBER.putIfAbsent(number(signal), signal);
      }
    }
  }

  private SignalMapping() {}

  /// The number, 0 for the image's or the default one.
  static int number(Signal signal) {
    if (signal == Signal.SIGNAL_RUNTIME_DEFAULT) {
      return 0;
    }
    String name =
        signal
            .name()
            .substring("SIGNAL_".length())
            .replace("PLUS", "+")
            .replace("MINUS", "-");
    return SignalNames.parse(name)
        .orElseThrow(() -> PeapodException.invalid("config.stop_signal is not a signal"));
  }

  static Signal signal(int number) {
    return BY_NUMBER.getOrDefault(number, Signal.SIGNAL_RUNTIME_DEFAULT);
  }
}
