package dev.peapod.cni.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Typed access to the members of a configuration's JSON object; every error names where the object
/// stands and the key.
///
/// @param node the object
/// @param where where it stands, such as `/etc/cni/net.d/10-pods.conflist: plugin "bridge"`
public record Keys(ObjectNode node, String where) {
  /// The text of a key that must be there.
  public String text(String key) {
    return optionalText(key)
        .orElseThrow(() -> PeapodException.invalid(where + ": key \"" + key + "\" is missing"));
  }

  /// The text of a key, if it is there.
  public Optional<String> optionalText(String key) {
    return value(key)
        .map(
            v -> {
              if (!v.isTextual()) {
                throw wrong(key, "a string");
              }
              return v.textValue();
            });
  }

  /// The truth of a key, false if it is not there.
  public boolean flag(String key) {
    return value(key)
        .map(
            v -> {
              if (!v.isBoolean()) {
                throw wrong(key, "true or false");
              }
              return v.booleanValue();
            })
        .orElse(false);
  }

  /// The whole number of a key, or `otherwise` if it is not there.
  public int number(String key, int otherwise) {
    return value(key)
        .map(
            v -> {
              if (!v.isIntegralNumber() || !v.canConvertToInt()) {
                throw wrong(key, "a whole number");
              }
              return v.intValue();
            })
        .orElse(otherwise);
  }

  /// The object of a key, if it is there.
  public Optional<Keys> object(String key) {
    return value(key)
        .map(
            v -> {
              if (!(v instanceof ObjectNode object)) {
                throw wrong(key, "an object");
              }
              return new Keys(object, where + ": " + key);
            });
  }

  /// The objects of a key that is a list; none if it is not there.
  public List<Keys> objects(String key) {
    List<Keys> objects = new ArrayList<>();
    for (JsonNode element : list(key)) {
      if (!(element instanceof ObjectNode object)) {
        throw wrong(key, "a list of objects");
      }
      objects.add(new Keys(object, where + ": " + key + "[" + objects.size() + "]"));
    }
    return objects;
  }

  /// The texts of a key that is a list; none if it is not there.
  public List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    for (JsonNode element : list(key)) {
      if (!element.isTextual()) {
        throw wrong(key, "a list of strings");
      }
      texts.add(element.textValue());
    }
    return texts;
  }

  /// The elements of a key that is a list; none if it is not there.
  public List<JsonNode> list(String key) {
    List<JsonNode> elements = new ArrayList<>();
    value(key)
        .ifPresent(
            v -> {
              if (!v.isArray()) {
                throw wrong(key, "a list");
              }
              v.forEach(elements::add);
            });
    return elements;
  }

  /// The address of a key, if it is there.
  public Optional<InetAddress> address(String key) {
    return optionalText(key).filter(text -> !text.isEmpty()).map(text -> address(key, text));
  }

  /// The address with prefix length of a key that must be there.
  public IpPrefix prefix(String key) {
    try {
      return IpPrefix.parse(text(key));
    } catch (IllegalArgumentException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, where + ": key \"" + key + "\": " + e.getMessage(), e);
    }
  }

  /// Refuses every key that is not among the known ones: to ignore a setting would be to do
  /// something else than was asked.
  ///
  /// @throws PeapodException INVALID naming the key
  public void allowOnly(Set<String> known) {
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        throw PeapodException.invalid(where + ": key \"" + name + "\" is not supported");
      }
    }
  }

  private InetAddress address(String key, String text) {
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException e) {
      throw wrong(key, "an IP address");
    }
  }

  private Optional<JsonNode> value(String key) {
    return Optional.ofNullable(node.get(key)).filter(v -> !v.isNull());
  }

  private PeapodException wrong(String key, String wanted) {
    return PeapodException.invalid(where + ": key \"" + key + "\" must be " + wanted);
  }
}
