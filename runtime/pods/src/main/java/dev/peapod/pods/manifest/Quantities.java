package dev.peapod.pods.manifest;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kubernetes' quantities: `500m`, `1.5`, `64Mi`, `1e3`.
public final class Quantities {
  static final String MALFORMED =
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

  private static final Pattern FORM =
      Pattern.compile(
          "([+-]?(?:[0-9]{1,30}(?:\\.[0-9]{0,30})?|\\.[0-9]{1,30}))"
              + "(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]{1,2})?");
  private static final Map<String, BigDecimal> SUFFIXES =
      Map.ofEntries(
          Map.entry("Ki", BigDecimal.valueOf(1L << 10)),
          Map.entry("Mi", BigDecimal.valueOf(1L << 20)),
          Map.entry("Gi", BigDecimal.valueOf(1L << 30)),
          Map.entry("Ti", BigDecimal.valueOf(1L << 40)),
          Map.entry("Pi", BigDecimal.valueOf(1L << 50)),
          Map.entry("Ei", BigDecimal.valueOf(1L << 60)),
          Map.entry("n", new BigDecimal("1e-9")),
          Map.entry("u", new BigDecimal("1e-6")),
          Map.entry("m", new BigDecimal("1e-3")),
          Map.entry("k", new BigDecimal("1e3")),
          Map.entry("M", new BigDecimal("1e6")),
          Map.entry("G", new BigDecimal("1e9")),
          Map.entry("T", new BigDecimal("1e12")),
          Map.entry("P", new BigDecimal("1e15")),
          Map.entry("E", new BigDecimal("1e18")));

  private Quantities() {}

  /// The value, or nothing if the text is no quantity.
  public static Optional<BigDecimal> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    BigDecimal number = new BigDecimal(matcher.group(1));
    String suffix = matcher.group(2);
    if (suffix == null) {
      return Optional.of(number);
    }
    BigDecimal factor = SUFFIXES.get(suffix);
    return Optional.of(number.multiply(factor != null ? factor : new BigDecimal("1" + suffix)));
  }

  /// Thousandths, rounded up, as CPUs are counted.
  public static long milli(String text) {
    return round(parse(text).orElseThrow().movePointRight(3));
  }

  /// Whole units, rounded up, as bytes are counted.
  public static long units(String text) {
    return round(parse(text).orElseThrow());
  }

  private static long round(BigDecimal value) {
    BigDecimal whole = value.setScale(0, RoundingMode.CEILING);
    return whole.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValueExact();
  }
}
