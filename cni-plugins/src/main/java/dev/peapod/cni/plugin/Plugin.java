package dev.peapod.cni.plugin;

import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;

/// One step of making a pod's network, in the words of the CNI specification. Thread-safe.
public interface Plugin {
  /// Verifies a configuration without doing anything.
  ///
  /// @throws PeapodException INVALID naming the key that is wrong
  void validate(PluginConfig config);

  /// Does the step, and answers what the network is made of now: the previous result with its own
  /// part.
  CniResult add(PluginCall call);

  /// Undoes the step, also if it was done in part or not at all.
  void delete(PluginCall call);

  /// Verifies that what the step made is still there.
  ///
  /// @throws PeapodException naming what is missing
  void check(PluginCall call);
}
