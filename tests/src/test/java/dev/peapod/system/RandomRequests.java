package dev.peapod.system;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Makes requests that fit their schema and nothing else: every field may be there or not, and has values that programs
/// stumble over. The same seed makes the same requests.
final class RandomRequests {
  private static final int DEEPEST = 8;
  private static final List<Long> NUMBERS =
      List.of(
          0L, 1L, -1L, 2L, 100L, 1000L, 65535L, 65536L, (long) Integer.MAX_VALUE,
          (long) Integer.MIN_VALUE, 4294967295L, Long.MAX_VALUE, Long.MIN_VALUE);

  private final Random random;
  private final List<String> texts = new ArrayList<>();
  private final List<String> paths = new ArrayList<>();

  /// @param directory where files may be made
  RandomRequests(long seed, String directory) {
    random = new Random(seed);
    texts.addAll(
        List.of(
            "", " ", "a", "main", "\n", "two\nlines", "nul\0inside", "../../../etc/passwd", "..", ".", "/", "a/b", "a=b",
            "-1", "0", "%s%n", "\u202e\uD83D\uDE00", "x".repeat(300), "localhost/", "runtime/default", "busybox:1",
            "sha256:" + "0".repeat(64), "0".repeat(64), "10.0.0.0/8", "::1", "SIGKILL", "ALL", "sh", "true"));
    paths.addAll(List.of("", "relative", "..", directory, directory + "/a", directory + "/../b", "nul\0", "two\nlines"));
  }

  /// Adds a text that means something, such as an id.
  void know(String text) {
    texts.add(text);
    // More often than the others.
    texts.add(text);
    texts.add(text.substring(0, Math.min(5, text.length())));
  }

  DynamicMessage message(Descriptor type) {
    return message(type, 0);
  }

  private DynamicMessage message(Descriptor type, int depth) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    // Some are nearly full, some nearly empty.
    int share = 10 + random.nextInt(80);
    for (FieldDescriptor field : type.getFields()) {
      boolean nested = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (random.nextInt(100) >= share || nested && depth > DEEPEST) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = random.nextInt(3); i > 0; i--) {
          message.addRepeatedField(field, value(field, depth));
        }
      } else {
        message.setField(field, value(field, depth));
      }
    }
    return message.build();
  }

  /// A good request with some of it changed.
  DynamicMessage changed(Message good) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(good.getDescriptorForType());
    for (FieldDescriptor field : good.getDescriptorForType().getFields()) {
      int what = random.nextInt(100);
      boolean there = field.isRepeated() ? good.getRepeatedFieldCount(field) > 0 : good.hasField(field);
      boolean nested = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isRepeated();
      if (what < 3) {
        continue;
      }
      if (what < 6) {
        if (field.isRepeated()) {
          message.addRepeatedField(field, value(field, DEEPEST / 2));
        } else {
          message.setField(field, value(field, DEEPEST / 2));
        }
      } else if (there) {
        Object value = good.getField(field);
        message.setField(field, nested ? changed((Message) value) : value);
      }
    }
    return message.build();
  }

  private Object value(FieldDescriptor field, int depth) {
    return switch (field.getJavaType()) {
      case MESSAGE -> message(field.getMessageType(), depth + 1);
      case STRING -> text(field.getName());
      case BYTE_STRING -> ByteString.copyFrom(bytes());
      case BOOLEAN -> random.nextBoolean();
      case INT -> (int) (long) any(NUMBERS);
      case LONG -> any(NUMBERS);
      case ENUM ->
          field.getEnumType().findValueByNumberCreatingIfUnknown(random.nextInt(8) == 0 ? 99 : random.nextInt(4));
      case FLOAT -> Float.NaN;
      case DOUBLE -> Double.NaN;
    };
  }

  private String text(String field) {
    boolean path = field.contains("log_") || field.equals("host_path") || field.contains("location");
    return any(path ? paths : texts);
  }

  private byte[] bytes() {
    byte[] bytes = new byte[random.nextInt(20)];
    random.nextBytes(bytes);
    return bytes;
  }

  <T> T any(List<T> some) {
    return some.get(random.nextInt(some.size()));
  }
}
