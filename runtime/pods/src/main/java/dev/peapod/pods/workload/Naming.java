package dev.peapod.pods.workload;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;

/// Names that controllers make up, in the letters that Kubernetes takes: no vowels, so no words.
final class Naming {
  private static final String LETTERS = "bcdfghjklmnpqrstvwxz2456789";
  private static final int RANDOM_LETTERS = 5;

  /// Of a name that is a host's name too.
  private static final int LONGEST = 63;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  private Naming() {}

  /// `base` with five letters that nobody else has.
  static String random(String base) {
    StringBuilder name =
        new StringBuilder(base.substring(0, Math.min(base.length(), LONGEST - RANDOM_LETTERS)));
    for (int i = 0; i < RANDOM_LETTERS; i++) {
      name.append(LETTERS.charAt(ThreadLocalRandom.current().nextInt(LETTERS.length())));
    }
    return name.toString();
  }

  /// What [#random] was given, or its beginning.
  static String base(String random) {
    return random.substring(0, random.length() - RANDOM_LETTERS);
  }

  /// A word for a template's content.
  ///
  /// @param collisions another number gives another word
  static String hash(PodTemplateSpec template, int collisions) {
    try {
      int hash = 0x811c9dc5;
      for (byte b :
          (JSON.writeValueAsString(template) + collisions).getBytes(StandardCharsets.UTF_8)) {
        hash = (hash ^ (b & 0xff)) * 0x01000193;
      }
      StringBuilder word = new StringBuilder();
      for (char digit : Integer.toUnsignedString(hash).toCharArray()) {
        word.append(LETTERS.charAt(digit % LETTERS.length()));
      }
      return word.toString();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
