package dev.peapod.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.peapod.proto.runtime.v1.VersionRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Holds the compiled CRI to the published one: every message, field, number, type, enum value and rpc, in both
/// directions. A fact is one tab-separated line: kind, owner, name, number, type or request, note or response.
class CriWireFactsTest {
  private static final String PACKAGE = "runtime.v1";

  @Test
  void compiledDescriptorsAreExactlyThePublishedOnes() throws IOException {
    Set<String> published = published();
    assertThat(published).hasSizeGreaterThan(700);
    assertThat(compiled(VersionRequest.getDescriptor().getFile()))
        .containsExactlyInAnyOrderElementsOf(published);
  }

  @Test
  void packageIsThePublishedOne() {
    assertThat(VersionRequest.getDescriptor().getFile().getPackage()).isEqualTo(PACKAGE);
  }

  private static Set<String> published() throws IOException {
    try (BufferedReader facts =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(CriWireFactsTest.class.getResourceAsStream("/cri-v1.tsv")),
                StandardCharsets.UTF_8))) {
      Set<String> lines = new TreeSet<>();
      facts.lines().filter(line -> !line.startsWith("#")).forEach(lines::add);
      return lines;
    }
  }

  private static Set<String> compiled(FileDescriptor file) {
    Set<String> facts = new TreeSet<>();
    for (ServiceDescriptor service : file.getServices()) {
      for (MethodDescriptor method : service.getMethods()) {
        facts.add(
            fact(
                "rpc",
                service.getName(),
                method.getName(),
                "",
                stream(method.isClientStreaming()) + method.getInputType().getName(),
                stream(method.isServerStreaming()) + method.getOutputType().getName()));
      }
    }
    file.getEnumTypes().forEach(type -> addEnum(facts, type));
    file.getMessageTypes().forEach(type -> addMessage(facts, type));
    return facts;
  }

  private static void addMessage(Set<String> facts, Descriptor message) {
    facts.add(fact("message", owner(message), "", "", "", ""));
    for (FieldDescriptor field : message.getFields()) {
      String note = field.getOptions().getDeprecated() ? "deprecated" : "";
      // A oneof or explicit presence would not show in the published facts: there is none.
      assertThat(field.getContainingOneof()).as("oneof of %s", field).isNull();
      facts.add(
          fact(
              "field",
              owner(message),
              field.getName(),
              Integer.toString(field.getNumber()),
              type(field),
              note));
    }
    message.getEnumTypes().forEach(type -> addEnum(facts, type));
    message.getNestedTypes().stream()
        .filter(nested -> !nested.getOptions().getMapEntry())
        .forEach(nested -> addMessage(facts, nested));
  }

  private static void addEnum(Set<String> facts, EnumDescriptor type) {
    type.getValues()
        .forEach(
            value ->
                facts.add(
                    fact(
                        "value",
                        owner(type),
                        value.getName(),
                        Integer.toString(value.getNumber()),
                        "",
                        "")));
  }

  private static String type(FieldDescriptor field) {
    if (field.isMapField()) {
      Descriptor entry = field.getMessageType();
      return "map<%s,%s>"
          .formatted(
              scalar(entry.findFieldByName("key")), scalar(entry.findFieldByName("value")));
    }
    return (field.isRepeated() ? "repeated " : "") + scalar(field);
  }

  private static String scalar(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case MESSAGE -> field.getMessageType().getName();
      case ENUM -> field.getEnumType().getName();
      default -> field.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static String owner(GenericDescriptor type) {
    return type.getFullName().substring(PACKAGE.length() + 1);
  }

  private static String stream(boolean streaming) {
    return streaming ? "stream " : "";
  }

  private static String fact(String... columns) {
    return String.join("\t", columns);
  }
}
