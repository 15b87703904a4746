package dev.peapod.pods.manifest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The rules that many fields share, in Kubernetes' words. For one document.
final class Rules {
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern SUBDOMAIN =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern QUALIFIED =
      Pattern.compile("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]");
  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern ENV_NAME = Pattern.compile("[-._a-zA-Z][-._a-zA-Z0-9]*");

  private static final String LABEL_WORDS =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
          + " must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc',"
          + " regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  private static final String SUBDOMAIN_WORDS =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
          + " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex"
          + " used for validation is"
          + " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  private static final String QUALIFIED_WORDS =
      "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
          + " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
          + " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

  private final String source;
  private final Schema schema;
  private final Problems problems;
  private final String above;
  private final List<String> warnings;

  Rules(String source, Schema schema, Problems problems) {
    this(source, schema, problems, "", new ArrayList<>());
  }

  private Rules(
      String source, Schema schema, Problems problems, String above, List<String> warnings) {
    this.source = source;
    this.schema = schema;
    this.problems = problems;
    this.above = above;
    this.warnings = warnings;
  }

  /// The rules for an object inside of the document, such as a pod's template: paths are those of
  /// the object.
  Rules below(String path) {
    return new Rules(source, schema, problems, above + path + ".", warnings);
  }

  List<String> warnings() {
    return List.copyOf(warnings);
  }

  void warn(String path, String message) {
    String at = above + path;
    warnings.add(source + ":" + schema.position(at).line() + ": " + at + ": " + message);
  }

  void error(String path, String message) {
    String at = above + path;
    problems.add(new ManifestError(source, schema.position(at), at, message));
  }

  void invalid(String path, Object value, String why) {
    String shown = value instanceof String s ? Words.quote(s) : String.valueOf(value);
    error(path, "Invalid value: " + shown + ": " + why);
  }

  void forbidden(String path, String why) {
    error(path, "Forbidden: " + why);
  }

  void duplicate(String path, Object value) {
    error(path, "Duplicate value: " + (value instanceof String s ? Words.quote(s) : value));
  }

  /// Whether the value is there; otherwise that is an error.
  boolean required(String path, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      error(path, "Required value");
      return false;
    }
    return true;
  }

  void oneOf(String path, @Nullable String value, Collection<String> supported) {
    if (value != null && !supported.contains(value)) {
      String list =
          new TreeSet<>(supported).stream().map(Words::quote).collect(Collectors.joining(", "));
      error(path, "Unsupported value: " + Words.quote(value) + ": supported values: " + list);
    }
  }

  void notNegative(String path, @Nullable Number value) {
    if (value != null && value.longValue() < 0) {
      invalid(path, value, "must be greater than or equal to 0");
    }
  }

  void inRange(String path, @Nullable Number value, long low, long high) {
    if (value != null && (value.longValue() < low || value.longValue() > high)) {
      invalid(path, value, "must be between " + low + " and " + high + ", inclusive");
    }
  }

  void label(String path, String value) {
    if (value.length() > 63) {
      invalid(path, value, "must be no more than 63 characters");
    } else if (!LABEL.matcher(value).matches()) {
      invalid(path, value, LABEL_WORDS);
    }
  }

  /// A container's name, which is not among the other ones.
  void named(@Nullable String name, String path, Set<String> others) {
    String at = path + ".name";
    if (required(at, name) && name != null) {
      label(at, name);
      if (!others.add(name)) {
        duplicate(at, name);
      }
    }
  }

  void subdomain(String path, String value) {
    if (value.length() > 253) {
      invalid(path, value, "must be no more than 253 characters");
    } else if (!SUBDOMAIN.matcher(value).matches()) {
      invalid(path, value, SUBDOMAIN_WORDS);
    }
  }

  /// A label's or annotation's key: `[prefix/]name`.
  void qualifiedName(String path, String key) {
    int slash = key.indexOf('/');
    String name = key.substring(slash + 1);
    if (slash == 0) {
      invalid(path, key, "prefix part must be non-empty");
    } else if (slash > 0
        && (slash > 253 || !SUBDOMAIN.matcher(key.substring(0, slash)).matches())) {
      invalid(path, key, "prefix part " + SUBDOMAIN_WORDS);
    }
    if (name.isEmpty()) {
      invalid(path, key, "name part must be non-empty");
    } else if (name.length() > 63) {
      invalid(path, key, "name part must be no more than 63 characters");
    } else if (!QUALIFIED.matcher(name).matches()) {
      invalid(path, key, "name part " + QUALIFIED_WORDS);
    }
  }

  void labelValue(String path, String value) {
    if (value.length() > 63) {
      invalid(path, value, "must be no more than 63 characters");
    } else if (!value.isEmpty() && !QUALIFIED.matcher(value).matches()) {
      invalid(
          path, value, "a valid label must be an empty string or " + QUALIFIED_WORDS.substring(5));
    }
  }

  void portName(String path, String value) {
    if (value.length() > 15) {
      invalid(path, value, "must be no more than 15 characters");
    } else if (!PORT_NAME.matcher(value).matches() || value.contains("--")) {
      invalid(
          path,
          value,
          "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), no two in a row"
              + " and none at either end");
    } else if (value.chars().noneMatch(c -> c >= 'a' && c <= 'z')) {
      invalid(path, value, "must contain at least one letter (a-z)");
    }
  }

  void environmentName(String path, String value) {
    if (!ENV_NAME.matcher(value).matches()) {
      invalid(
          path,
          value,
          "a valid environment variable name must consist of alphabetic characters, digits, '_',"
              + " '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or"
              + " 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is"
              + " '[-._a-zA-Z][-._a-zA-Z0-9]*')");
    }
  }

  /// A text that goes to the kernel as a C string.
  void noNul(String path, String value) {
    if (value.indexOf('\0') >= 0) {
      invalid(path, value, "must not contain a NUL character");
    }
  }
}
