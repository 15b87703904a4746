package dev.peapod.pods.manifest;

import dev.peapod.error.PeapodException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Collects what is wrong, so that one run names every error. For one thread.
final class Problems {
  /// More than anybody mends in one go, and little memory.
  private static final int MOST = 100;

  private final List<ManifestError> errors = new ArrayList<>();
  private int unlisted;

  void add(ManifestError error) {
    if (errors.size() < MOST) {
      errors.add(error);
    } else {
      unlisted++;
    }
  }

  boolean isEmpty() {
    return errors.isEmpty();
  }

  List<ManifestError> list() {
    return List.copyOf(errors);
  }

  int count() {
    return errors.size() + unlisted;
  }

  /// @throws PeapodException INVALID with one line for each error, if there is any
  void throwIfAny() {
    if (errors.isEmpty()) {
      return;
    }
    String text = errors.stream().map(ManifestError::toString).collect(Collectors.joining("\n"));
    if (unlisted > 0) {
      text += "\nand " + unlisted + " more";
    }
    throw PeapodException.invalid(text);
  }
}
