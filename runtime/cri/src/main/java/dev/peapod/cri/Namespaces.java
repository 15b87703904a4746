package dev.peapod.cri;

import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.NamespaceOption;

/// Namespace modes between the CRI's words and the engine's.
final class Namespaces {
  private Namespaces() {}

  static NamespaceMode mode(dev.peapod.proto.runtime.v1.NamespaceMode mode, String field) {
    return switch (mode) {
      case POD -> NamespaceMode.POD;
      case CONTAINER -> NamespaceMode.CONTAINER;
      case NODE -> NamespaceMode.NODE;
      case TARGET -> NamespaceMode.TARGET;
      case UNRECOGNIZED -> throw PeapodException.invalid(field + " is not a namespace mode");
    };
  }

  static dev.peapod.proto.runtime.v1.NamespaceMode mode(NamespaceMode mode) {
    return switch (mode) {
      case POD -> dev.peapod.proto.runtime.v1.NamespaceMode.POD;
      case CONTAINER -> dev.peapod.proto.runtime.v1.NamespaceMode.CONTAINER;
      case NODE -> dev.peapod.proto.runtime.v1.NamespaceMode.NODE;
      case TARGET -> dev.peapod.proto.runtime.v1.NamespaceMode.TARGET;
    };
  }

  /// User namespaces: only the host's are there.
  static void refuseUserNamespace(NamespaceOption options, String field) {
    Refusals.unsupported(
        options.hasUsernsOptions()
            && options.getUsernsOptions().getMode()
                != dev.peapod.proto.runtime.v1.NamespaceMode.NODE,
        field + ".userns_options");
  }
}
