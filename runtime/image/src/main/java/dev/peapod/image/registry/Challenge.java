package dev.peapod.image.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a registry wants to see, from `WWW-Authenticate` (RFC 9110, section 11).
///
/// @param scheme in lower case, such as `bearer`
/// @param parameters by name in lower case
record Challenge(String scheme, Map<String, String> parameters) {
  private static final int MAX_HEADER = 16_384;
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s*,?\\s*(?:([A-Za-z0-9_-]+)\\s*=\\s*"
              + "(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|([^\\s,\"]*))|([A-Za-z0-9_-]+))");

  /// The challenges of all such headers; what can not be read is left out.
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> challenges = new ArrayList<>();
    for (String header : headers) {
      String text = header.length() > MAX_HEADER ? header.substring(0, MAX_HEADER) : header;
      Matcher matcher = TOKEN.matcher(text);
      Map<String, String> parameters = new LinkedHashMap<>();
      while (matcher.lookingAt()) {
        String scheme = matcher.group(4);
        if (scheme != null) {
          parameters = new LinkedHashMap<>();
          challenges.add(new Challenge(scheme.toLowerCase(Locale.ROOT), parameters));
        } else {
          String quoted = matcher.group(2);
          String value = quoted != null ? quoted.replaceAll("\\\\(.)", "$1") : matcher.group(3);
          parameters.put(matcher.group(1).toLowerCase(Locale.ROOT), value);
        }
        matcher.region(matcher.end(), text.length());
      }
    }
    return challenges;
  }

  static Optional<Challenge> of(List<Challenge> challenges, String scheme) {
    return challenges.stream().filter(c -> c.scheme.equals(scheme)).findFirst();
  }

  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }
}
