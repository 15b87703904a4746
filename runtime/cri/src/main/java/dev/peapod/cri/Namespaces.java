package dev.peapod.cri;

import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.IDMapping;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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

  /// The pod's own user namespace, or null where the host's is meant.
  ///
  /// @throws PeapodException INVALID if it is not one mapping of users and one of groups from 0 on
  static @Nullable UserNamespace users(NamespaceOption options, String field) {
    if (!options.hasUsernsOptions()) {
      return null;
    }
    dev.peapod.proto.runtime.v1.UserNamespace asked = options.getUsernsOptions();
    String at = field + ".userns_options";
    return switch (asked.getMode()) {
      case NODE -> {
        if (asked.getUidsCount() + asked.getGidsCount() > 0) {
          throw PeapodException.invalid(at + " has mappings, but its mode is NODE");
        }
        yield null;
      }
      case POD ->
          new UserNamespace(
              ids(asked.getUidsList(), at + ".uids"), ids(asked.getGidsList(), at + ".gids"));
      case CONTAINER, TARGET, UNRECOGNIZED ->
          throw PeapodException.invalid(at + ".mode can be POD or NODE");
    };
  }

  private static UserNamespace.Ids ids(List<IDMapping> mappings, String field) {
    if (mappings.size() != 1) {
      throw PeapodException.invalid(
          field + " has " + mappings.size() + " mappings; it takes exactly one");
    }
    IDMapping mapping = mappings.getFirst();
    if (mapping.getContainerId() != 0) {
      throw PeapodException.invalid(
          field
              + " begins with container_id "
              + Integer.toUnsignedString(mapping.getContainerId())
              + "; it has to be 0");
    }
    return new UserNamespace.Ids(
        Integer.toUnsignedLong(mapping.getHostId()), Integer.toUnsignedLong(mapping.getLength()));
  }

  static dev.peapod.proto.runtime.v1.UserNamespace users(@Nullable UserNamespace users) {
    dev.peapod.proto.runtime.v1.UserNamespace.Builder result =
        dev.peapod.proto.runtime.v1.UserNamespace.newBuilder();
    if (users == null) {
      return result.setMode(dev.peapod.proto.runtime.v1.NamespaceMode.NODE).build();
    }
    return result
        .setMode(dev.peapod.proto.runtime.v1.NamespaceMode.POD)
        .addUids(mapping(users.uids()))
        .addGids(mapping(users.gids()))
        .build();
  }

  private static IDMapping mapping(UserNamespace.Ids ids) {
    return IDMapping.newBuilder().setHostId((int) ids.first()).setLength((int) ids.count()).build();
  }

  /// Refuses a container's user namespace that is not its pod's. One that says nothing has it.
  static void requireSame(NamespaceOption container, SandboxSpec sandbox) {
    String field = "config.linux.security_context.namespace_options";
    if (container.hasUsernsOptions()
        && !Objects.equals(users(container, field), sandbox.userNamespace())) {
      throw PeapodException.invalid(
          field + ".userns_options is not the same as that of the container's sandbox");
    }
  }

  /// Whether a mount's owners are mapped.
  ///
  /// @throws PeapodException INVALID if the maps are not those of the sandbox
  static boolean mapped(Mount mount, SandboxSpec sandbox, String field) {
    if (mount.getUidMappingsCount() + mount.getGidMappingsCount() == 0) {
      return false;
    }
    UserNamespace asked =
        new UserNamespace(
            ids(mount.getUidMappingsList(), field + "uidMappings"),
            ids(mount.getGidMappingsList(), field + "gidMappings"));
    if (!asked.equals(sandbox.userNamespace())) {
      throw PeapodException.invalid(
          field + "uidMappings and gidMappings are not those of the sandbox's user namespace");
    }
    return true;
  }
}
