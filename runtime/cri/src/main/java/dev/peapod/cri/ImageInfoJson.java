package dev.peapod.cri;

import dev.peapod.image.Image;
import dev.peapod.image.ImageConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a verbose image status shows: the image's configuration in the OCI's words.
final class ImageInfoJson {
  private ImageInfoJson() {}

  static String of(Image image) {
    ImageConfig config = image.config();
    Map<String, Object> run = new LinkedHashMap<>();
    run.put("User", config.user());
    run.put("Env", config.env());
    run.put("Entrypoint", config.entrypoint());
    run.put("Cmd", config.cmd());
    run.put("WorkingDir", config.workingDir());
    run.put("StopSignal", config.stopSignal().orElse(""));
    run.put("Labels", config.labels());
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("architecture", config.architecture());
    spec.put("created", config.created().orElse(""));
    spec.put("config", run);
    spec.put("layers", config.diffIds().stream().map(Object::toString).toList());
    return Info.json(Map.of("imageSpec", spec));
  }
}
