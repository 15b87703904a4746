package dev.peapod.linux;

import java.nio.file.Path;
import java.util.List;

/// One line of `/proc/PID/mountinfo` (proc(5)).
///
/// @param id the mount's number, unique while it lives
/// @param parent the number of the mount it lies on
/// @param device `major:minor` of the filesystem
/// @param root what of the filesystem is mounted
/// @param mountPoint where, as the reading process sees it
/// @param options of this mount, such as `rw` and `nosuid`
/// @param propagation optional fields, such as `shared:5`; none for a private mount
/// @param type of the filesystem, such as `overlay`
/// @param source as the filesystem names it
/// @param superOptions of the filesystem, such as `rw` and `memory` for a v1 cgroup
public record MountInfo(
    int id,
    int parent,
    String device,
    String root,
    Path mountPoint,
    List<String> options,
    List<String> propagation,
    String type,
    String source,
    List<String> superOptions) {

  public MountInfo {
    options = List.copyOf(options);
    propagation = List.copyOf(propagation);
    superOptions = List.copyOf(superOptions);
  }

  /// Whether mounts made in it appear in its peers too, and theirs in it.
  public boolean isShared() {
    return propagation.stream().anyMatch(field -> field.startsWith("shared:"));
  }

  /// Whether the mounts of a master appear in it.
  public boolean isSlave() {
    return propagation.stream().anyMatch(field -> field.startsWith("master:"));
  }

  /// Parses one line.
  ///
  /// @throws IllegalArgumentException if it is none
  static MountInfo parse(String line) {
    String[] fields = line.split(" ", -1);
    int separator = 6;
    while (separator < fields.length && !fields[separator].equals("-")) {
      separator++;
    }
    if (separator + 3 >= fields.length) {
      throw new IllegalArgumentException("not a line of mountinfo: " + line);
    }
    return new MountInfo(
        Integer.parseInt(fields[0]),
        Integer.parseInt(fields[1]),
        fields[2],
        unescape(fields[3]),
        Path.of(unescape(fields[4])),
        List.of(fields[5].split(",")),
        List.of(fields).subList(6, separator),
        unescape(fields[separator + 1]),
        unescape(fields[separator + 2]),
        List.of(fields[separator + 3].split(",")));
  }

  /// Undoes the kernel's `\040` for blanks, tabs, newlines and backslashes.
  private static String unescape(String field) {
    if (field.indexOf('\\') < 0) {
      return field;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length()) {
        out.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
