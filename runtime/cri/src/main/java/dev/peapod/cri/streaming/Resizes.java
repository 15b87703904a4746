package dev.peapod.cri.streaming;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.linux.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Reads the terminal sizes that a client sends, one JSON object after the other, however cut up. Not
/// thread-safe.
final class Resizes {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST = 1024;
  private static final int LARGEST = 65535;

  private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

  /// The sizes that are complete with these bytes; what is no size is passed over.
  List<Terminal.Size> received(byte[] bytes) {
    List<Terminal.Size> sizes = new ArrayList<>();
    for (byte b : bytes) {
      begun.write(b);
      if (b == '}' || begun.size() > LONGEST) {
        add(sizes);
        begun.reset();
      }
    }
    return sizes;
  }

  private void add(List<Terminal.Size> sizes) {
    try {
      JsonNode size = JSON.readTree(begun.toByteArray());
      int rows = size.path("Height").asInt();
      int columns = size.path("Width").asInt();
      if (rows > 0 && rows <= LARGEST && columns > 0 && columns <= LARGEST) {
        sizes.add(new Terminal.Size(rows, columns));
      }
    } catch (IOException e) {
      // No size; the terminal stays as it is.
    }
  }
}
