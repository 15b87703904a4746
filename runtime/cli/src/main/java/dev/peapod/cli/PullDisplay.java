package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ImagePullProgress;
import dev.peapod.proto.peapod.v1.LayerProgress;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Shows a pull on stderr: bars that are drawn anew on a terminal, a line for each change of state
/// elsewhere.
interface PullDisplay {
  void show(ImagePullProgress progress);

  /// The last one; what follows begins on a fresh line.
  default void end() {}

  static PullDisplay none() {
    return progress -> {};
  }

  static PullDisplay here() {
    return Screen.errorIsTerminal() ? new Bars() : new Lines();
  }

  /// `sha256:0123456789abcdef...` as `0123456789ab`.
  private static String shortened(String digest) {
    String hex = digest.substring(digest.indexOf(':') + 1);
    return hex.substring(0, Math.min(12, hex.length()));
  }

  final class Lines implements PullDisplay {
    private final Map<String, LayerProgress.State> states = new HashMap<>();

    @Override
    public void show(ImagePullProgress progress) {
      for (LayerProgress layer : progress.getLayersList()) {
        LayerProgress.State state = layer.getState();
        if (state != states.put(layer.getDigest(), state) && state != LayerProgress.State.WAITING) {
          System.err.println(shortened(layer.getDigest()) + ": " + word(state));
        }
      }
    }
  }

  final class Bars implements PullDisplay {
    private static final int BAR = 24;

    private final int width = Screen.width(2);
    private int drawn;

    @Override
    public void show(ImagePullProgress progress) {
      StringBuilder text = new StringBuilder();
      if (drawn > 0) {
        text.append("\u001b[").append(drawn).append('A');
      }
      List<LayerProgress> layers = progress.getLayersList();
      for (LayerProgress layer : layers) {
        String line = line(layer);
        text.append("\r\u001b[K");
        text.append(line, 0, Math.min(line.length(), Math.max(1, width - 1))).append('\n');
      }
      drawn = layers.size();
      System.err.print(text);
      System.err.flush();
    }

    private static String line(LayerProgress layer) {
      String name = shortened(layer.getDigest());
      long total = layer.getTotalBytes();
      if (layer.getState() != LayerProgress.State.DOWNLOADING || total <= 0) {
        return name + "  " + word(layer.getState());
      }
      long done = Math.min(layer.getDoneBytes(), total);
      int full = (int) (BAR * done / total);
      return String.format(
          Locale.ROOT,
          "%s  [%s%s] %3d%% %s of %s",
          name,
          "=".repeat(full),
          " ".repeat(BAR - full),
          100 * done / total,
          Texts.size(done),
          Texts.size(total));
    }
  }

  private static String word(LayerProgress.State state) {
    return switch (state) {
      case WAITING -> "waiting";
      case DOWNLOADING -> "downloading";
      case VERIFYING -> "verifying";
      case UNPACKING -> "unpacking";
      case DONE -> "done";
      case PRESENT -> "already there";
      case UNRECOGNIZED -> "?";
    };
  }
}
