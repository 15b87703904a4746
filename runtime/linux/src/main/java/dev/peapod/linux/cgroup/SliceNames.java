package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// How systemd names slices: `a-b.slice` is in `a.slice`, and its cgroup below that one's (systemd.slice(5)).
final class SliceNames {
  static final String SLICE = ".slice";
  static final String SCOPE = ".scope";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9:_.\\\\]+(-[A-Za-z0-9:_.\\\\]+)*\\.slice");
  private static final int LONGEST = 255;

  private SliceNames() {}

  /// The path of a slice, `/a.slice/a-b.slice`.
  ///
  /// @param slice its name, or its path
  /// @throws PeapodException INVALID if it is neither
  static String expand(String slice) {
    String name = slice.substring(slice.lastIndexOf('/') + 1);
    if (!NAME.matcher(name).matches() || name.length() > LONGEST) {
      throw PeapodException.invalid("\"" + slice + "\" is not a systemd slice, such as a-b.slice");
    }
    String stem = name.substring(0, name.length() - SLICE.length());
    StringBuilder path = new StringBuilder();
    for (int dash = stem.indexOf('-'); dash >= 0; dash = stem.indexOf('-', dash + 1)) {
      path.append('/').append(stem, 0, dash).append(SLICE);
    }
    path.append('/').append(name);
    if (slice.contains("/") && !path.toString().equals(slice.startsWith("/") ? slice : "/" + slice)) {
      throw PeapodException.invalid("slice \"" + name + "\" is at \"" + path + "\", not at \"" + slice + "\"");
    }
    return path.toString();
  }

  /// The path of a slice in another.
  ///
  /// @param name what it is called there; its dashes become underscores, as a kubelet's
  static String child(String parent, String name) {
    String stem = unit(parent).substring(0, unit(parent).length() - SLICE.length());
    return parent + "/" + stem + "-" + name.replace('-', '_') + SLICE;
  }

  /// The paths of a slice and of all that it is in, the outermost first.
  static List<String> levels(String path) {
    List<String> levels = new ArrayList<>();
    for (int end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      levels.add(path.substring(0, end));
    }
    levels.add(path);
    return levels;
  }

  /// The unit that a path ends with.
  static String unit(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
