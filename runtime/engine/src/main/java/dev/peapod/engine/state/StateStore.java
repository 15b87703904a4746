package dev.peapod.engine.state;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// A directory of state files, named `<id>.json`: for each thing the JSON documents of its states, a line each, of which
/// the last one counts.
///
/// A file comes to be by temp + rename; a new state is appended, and an unfinished last line does not count. So a reader
/// sees the old state or the new one. To replace the file each time would make some filesystems write it out at once
/// (ext4's `auto_da_alloc`). Nothing is synced, since it need not outlive a power cut. Thread-safe for different ids.
public final class StateStore<T> {
  private static final Logger LOG = System.getLogger(StateStore.class.getName());
  private static final String SUFFIX = ".json";
  private static final int MAX_SIZE = 4 << 20;

  /// A file that has grown beyond this begins anew with its next state.
  private static final int REPLACED_SIZE = 256 << 10;

  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final StandardOpenOption APPEND = StandardOpenOption.APPEND;
  private static final Set<StandardOpenOption> REPLACE =
      Set.of(
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING);

  private final Path directory;
  private final Path aside;
  private final Class<T> type;
  private final ObjectWriter writer;
  private final ObjectReader reader;
  private final Function<T, String> idOf;
  private final Set<String> there = ConcurrentHashMap.newKeySet();

  /// @param directory exists already
  /// @param aside where files go that can not be read
  public StateStore(Path directory, Path aside, Class<T> type, Function<T, String> idOf) {
    this.directory = directory;
    this.aside = aside;
    this.type = type;
    this.writer = Json.MAPPER.writerFor(type);
    this.reader = Json.MAPPER.readerFor(type);
    this.idOf = idOf;
  }

  /// Makes ready what the first [#save] would otherwise wait for.
  public void prepare() {
    Json.MAPPER.writer(SerializationFeature.EAGER_SERIALIZER_FETCH).forType(type);
  }

  /// Writes down a thing's state.
  public void save(T value) {
    String id = idOf.apply(value);
    try {
      byte[] json = writer.writeValueAsBytes(value);
      byte[] line = Arrays.copyOf(json, json.length + 1);
      line[json.length] = '\n';
      if (!there.contains(id) || !append(id, line)) {
        replace(id, line);
        there.add(id);
      }
    } catch (IOException e) {
      throw PeapodException.internal("writing the state of " + id + " failed: " + e, e);
    }
  }

  private boolean append(String id, byte[] line) throws IOException {
    try (FileChannel file = FileChannel.open(directory.resolve(id + SUFFIX), APPEND)) {
      if (file.size() + line.length > REPLACED_SIZE) {
        return false;
      }
      writeAll(file, line);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private void replace(String id, byte[] line) throws IOException {
    Path temp = directory.resolve("." + id);
    try (FileChannel file = FileChannel.open(temp, REPLACE, OWNER_ONLY)) {
      writeAll(file, line);
    }
    Files.move(temp, directory.resolve(id + SUFFIX), StandardCopyOption.ATOMIC_MOVE);
  }

  private static void writeAll(FileChannel file, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      file.write(buffer);
    }
  }

  /// Removes a thing's file; does nothing if there is none.
  public void delete(String id) {
    there.remove(id);
    try {
      Files.deleteIfExists(directory.resolve(id + SUFFIX));
    } catch (IOException e) {
      throw PeapodException.internal("removing the state of " + id + " failed: " + e, e);
    }
  }

  /// All things that are written down. A file that can not be read, or is not one of ours, is moved
  /// aside with a warning; temporary ones are removed.
  public List<T> load() {
    List<T> all = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.startsWith(".")) {
          Files.deleteIfExists(file);
          continue;
        }
        try {
          T value = read(file);
          if (!name.equals(idOf.apply(value) + SUFFIX)) {
            throw new IOException("it is named otherwise than what it holds");
          }
          all.add(value);
          there.add(idOf.apply(value));
        } catch (NoSuchFileException e) {
          LOG.log(Level.DEBUG, "{0} went while it was being read", file);
        } catch (IOException | RuntimeException e) {
          setAside(file, e);
        }
      }
    } catch (IOException e) {
      throw PeapodException.internal("reading " + directory + " failed: " + e, e);
    }
    return all;
  }

  private T read(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > MAX_SIZE) {
      throw new IOException("not a regular file of at most " + MAX_SIZE + " bytes");
    }
    byte[] text = Files.readAllBytes(file);
    int end = text.length;
    while (end > 0 && text[end - 1] != '\n') {
      end--;
    }
    int start = Math.max(end - 1, 0);
    while (start > 0 && text[start - 1] != '\n') {
      start--;
    }
    // A file of one unfinished line is read too, for the error that tells what is wrong with it.
    T value = end == 0 ? reader.readValue(text) : reader.readValue(text, start, end - start);
    if (value == null) {
      throw new IOException("empty");
    }
    if (end != text.length) {
      replace(idOf.apply(value), Arrays.copyOfRange(text, start, end));
    }
    return value;
  }

  private void setAside(Path file, Exception cause) {
    String why =
        cause instanceof JsonProcessingException j ? j.getOriginalMessage() : cause.getMessage();
    Path target =
        aside.resolve(
            directory.getFileName() + "-" + file.getFileName() + "-" + System.currentTimeMillis());
    try {
      Files.createDirectories(aside);
      Files.move(file, target);
      LOG.log(
          Level.WARNING,
          "state file {0} can not be used ({1}); set aside as {2}",
          file,
          why,
          target);
    } catch (IOException e) {
      LOG.log(
          Level.WARNING, "state file " + file + " can not be used (" + why + ") nor set aside", e);
    }
  }
}
