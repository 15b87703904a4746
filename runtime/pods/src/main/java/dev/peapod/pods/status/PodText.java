package dev.peapod.pods.status;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.util.StringQuotingChecker;
import dev.peapod.error.PeapodException;
import dev.peapod.pods.manifest.Scalars;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// Kubernetes objects as JSON and YAML text. Thread-safe.
public final class PodText {
  private static final ObjectMapper JSON = new ObjectMapper();

  /// As kubectl lays JSON out.
  private static final ObjectWriter INDENTED = JSON.writer(layout());

  private PodText() {}

  private static PrettyPrinter layout() {
    DefaultIndenter indenter = new DefaultIndenter("    ", "\n");
    return new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                .withObjectEmptySeparator("")
                .withArrayEmptySeparator(""))
        .withObjectIndenter(indenter)
        .withArrayIndenter(indenter);
  }

  /// Loaded only by those who ask for YAML.
  private static final class Yaml {
    static final ObjectMapper MAPPER =
        YAMLMapper.builder(
                YAMLFactory.builder()
                    .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                    .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                    .stringQuotingChecker(new Quoting())
                    .build())
            .build();
  }

  /// Quotes what our own reader, and so Kubernetes, would not read as a string.
  private static final class Quoting extends StringQuotingChecker.Default {
    @Override
    public boolean needToQuoteName(String name) {
      return super.needToQuoteName(name) || !Scalars.meansString(name);
    }

    @Override
    public boolean needToQuoteValue(String value) {
      return super.needToQuoteValue(value) || !Scalars.meansString(value);
    }
  }

  public static String json(Object object) {
    try {
      return INDENTED.writeValueAsString(object) + "\n";
    } catch (JsonProcessingException e) {
      throw PeapodException.internal("can not write an object as JSON", e);
    }
  }

  public static String yaml(Object object) {
    try {
      return Yaml.MAPPER.writeValueAsString(object);
    } catch (JsonProcessingException e) {
      throw PeapodException.internal("can not write an object as YAML", e);
    }
  }

  public static Pod pod(byte[] json) throws IOException {
    return JSON.readValue(json, Pod.class);
  }

  public static PodStatus status(byte[] json) throws IOException {
    return JSON.readValue(json, PodStatus.class);
  }

  /// A copy that shares nothing with the original.
  public static Pod copy(Pod pod) {
    try {
      return pod(json(pod).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw PeapodException.internal("can not copy a pod", e);
    }
  }
}
