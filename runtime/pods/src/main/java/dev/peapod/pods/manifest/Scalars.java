package dev.peapod.pods.manifest;

import dev.peapod.pods.manifest.Node.Scalar.Kind;
import java.math.BigInteger;
import java.util.Set;
import java.util.regex.Pattern;

/// What an unquoted YAML word means to Kubernetes: YAML 1.1 without times and without sexagesimal
/// numbers (`yes` is a boolean, `0644` is octal, `1:30` a string).
public final class Scalars {
  private static final Set<String> NULLS = Set.of("", "~", "null", "Null", "NULL");
  private static final Set<String> TRUES =
      Set.of("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON");
  private static final Set<String> FALSES =
      Set.of("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF");
  private static final Set<String> SPECIAL_FLOATS =
      Set.of(
          ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
          ".NaN", ".NAN");
  private static final Pattern INTEGER =
      Pattern.compile("[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)");
  private static final Pattern FLOAT =
      Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");

  private Scalars() {}

  /// Whether a word without quotes is read as this very string.
  public static boolean meansString(String word) {
    return plain(Position.START, word).kind() == Kind.STRING;
  }

  static Node.Scalar plain(Position at, String text) {
    if (NULLS.contains(text)) {
      return new Node.Scalar(at, Kind.NULL, "null");
    }
    char first = text.charAt(0);
    if (Character.isLetter(first)) {
      if (TRUES.contains(text)) {
        return new Node.Scalar(at, Kind.BOOLEAN, "true");
      }
      if (FALSES.contains(text)) {
        return new Node.Scalar(at, Kind.BOOLEAN, "false");
      }
    } else if (text.length() <= 64) {
      // Longer than any number that fits a field: left as a string, so that no time is lost on it.
      if (INTEGER.matcher(text).matches()) {
        Node.Scalar integer = integer(at, text.replace("_", ""));
        if (integer != null) {
          return integer;
        }
      }
      if (SPECIAL_FLOATS.contains(text) || FLOAT.matcher(text).matches()) {
        return new Node.Scalar(at, Kind.FLOAT, text);
      }
    }
    return new Node.Scalar(at, Kind.STRING, text);
  }

  private static Node.@org.jspecify.annotations.Nullable Scalar integer(Position at, String text) {
    boolean negative = text.startsWith("-");
    String digits = negative || text.startsWith("+") ? text.substring(1) : text;
    try {
      BigInteger value;
      if (digits.startsWith("0x")) {
        value = new BigInteger(digits.substring(2), 16);
      } else if (digits.startsWith("0b")) {
        value = new BigInteger(digits.substring(2), 2);
      } else if (digits.startsWith("0o")) {
        value = new BigInteger(digits.substring(2), 8);
      } else if (digits.length() > 1 && digits.startsWith("0")) {
        value = new BigInteger(digits, 8);
      } else {
        value = new BigInteger(digits);
      }
      return new Node.Scalar(at, Kind.INTEGER, (negative ? value.negate() : value).toString());
    } catch (NumberFormatException e) {
      // 089 is no octal number; Kubernetes' reader goes on and takes it for a float.
      return null;
    }
  }
}
