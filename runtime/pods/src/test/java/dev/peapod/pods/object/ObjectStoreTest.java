package dev.peapod.pods.object;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObjectStoreTest {
  private static final ObjectKey KEY = new ObjectKey(ObjectKind.CONFIG_MAP, "default", "broken");

  @TempDir private Path root;

  private ObjectStore store() {
    return new ObjectStore(root, InstantSource.system());
  }

  @Test
  void whatCanNotBeReadIsNotTakenForGone() throws IOException {
    Path kind = Files.createDirectories(root.resolve("objects").resolve(KEY.kind().word()));
    Files.writeString(kind.resolve("default_broken.json"), "{");
    ObjectStore store = store();
    assertThat(store.get(KEY)).isEmpty();
    assertThat(store.isUnread(KEY)).isTrue();
    store.put(
        new ConfigMapBuilder().withNewMetadata().withNamespace("default").withName("broken").endMetadata().build(),
        false);
    assertThat(store.isUnread(KEY)).isFalse();
    assertThat(store().get(KEY)).isPresent();
  }
}
