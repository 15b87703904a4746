package dev.peapod.engine.state;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/// The one mapper of the engine's files: records as they are, unknown fields passed over, since a
/// newer daemon may have written them.
final class Json {
  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(MapperFeature.AUTO_DETECT_IS_GETTERS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          // The daemon is ready sooner: StateStore.prepare() is called when it is.
          .disable(DeserializationFeature.EAGER_DESERIALIZER_FETCH)
          .disable(SerializationFeature.EAGER_SERIALIZER_FETCH)
          .build();

  private Json() {}
}
