package dev.peapod.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/// The values that were given for [Setting]s, each with the place it was given at, so that what is wrong with a value
/// can be said with a line or a flag.
final class Settings {
  /// A value and where it was given: `config.yaml:3` or `--root`.
  record Value(String text, String origin) {}

  private final Map<Setting, Value> values = new EnumMap<>(Setting.class);

  /// Reads a configuration file: one YAML mapping of known keys to scalars. Keys that are there already stay.
  ///
  /// @throws PeapodException INVALID with file and line if it is anything else, NOT_FOUND if there is no such file
  void readFile(Path file) {
    Map<Setting, Value> read = new EnumMap<>(Setting.class);
    try (YAMLParser parser = new YAMLFactory().createParser(Files.readAllBytes(file))) {
      readMapping(parser, file, read);
    } catch (JsonProcessingException e) {
      throw invalid(
          file + ":" + (e.getLocation() == null ? 1 : e.getLocation().getLineNr()),
          firstLine(e.getOriginalMessage()));
    } catch (NoSuchFileException e) {
      throw PeapodException.notFound("there is no configuration file " + file);
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, "can not read the configuration file " + file + ": " + e, e);
    }
    read.forEach(values::putIfAbsent);
  }

  private static void readMapping(YAMLParser parser, Path file, Map<Setting, Value> read)
      throws IOException {
    JsonToken first = parser.nextToken();
    if (first == null || first == JsonToken.VALUE_NULL) {
      return;
    }
    if (first != JsonToken.START_OBJECT) {
      throw invalid(origin(file, parser), "expected `key: value` lines");
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      String origin = origin(file, parser);
      Setting setting =
          Setting.ofKey(key)
              .orElseThrow(
                  () -> invalid(origin, "unknown key \"" + key + "\"; known are " + keys()));
      JsonToken token = parser.nextToken();
      if (token == JsonToken.VALUE_NULL || !token.isScalarValue()) {
        throw invalid(origin(file, parser), key + ": expected a single value");
      }
      if (read.put(setting, new Value(parser.getText(), origin)) != null) {
        throw invalid(origin, key + " is given twice");
      }
    }
    if (parser.nextToken() != null) {
      throw invalid(origin(file, parser), "expected one YAML document");
    }
  }

  /// Takes a value from a flag. Flags come before files, and the first one counts.
  ///
  /// @throws PeapodException INVALID if the flag was given already
  void addFlag(Setting setting, String text) {
    String flag = "--" + setting.key();
    if (values.put(setting, new Value(text, flag)) != null) {
      throw PeapodException.invalid(flag + " is given twice");
    }
  }

  /// The value given, or the default.
  Value get(Setting setting) {
    return values.getOrDefault(setting, new Value(setting.defaultValue(), "default"));
  }

  static PeapodException invalid(String origin, String problem) {
    return PeapodException.invalid(origin + ": " + problem);
  }

  private static String origin(Path file, YAMLParser parser) {
    return file + ":" + parser.currentTokenLocation().getLineNr();
  }

  private static String keys() {
    return Arrays.stream(Setting.values()).map(Setting::key).collect(Collectors.joining(", "));
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("not YAML");
  }
}
