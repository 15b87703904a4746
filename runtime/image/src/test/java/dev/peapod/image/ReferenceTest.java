package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceTest {
  private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

  @ParameterizedTest
  @CsvSource({
    "nginx, docker.io/library/nginx:latest",
    "nginx:1.25, docker.io/library/nginx:1.25",
    "user/app, docker.io/user/app:latest",
    "docker.io/nginx, docker.io/library/nginx:latest",
    "index.docker.io/nginx, docker.io/library/nginx:latest",
    "localhost/app, localhost/app:latest",
    "localhost:5000/app, localhost:5000/app:latest",
    "127.0.0.1:5000/a/b/c:x, 127.0.0.1:5000/a/b/c:x",
    "[::1]:5000/app:x, [::1]:5000/app:x",
    "registry.k8s.io/pause:3.9, registry.k8s.io/pause:3.9",
    "ghcr.io/a/b_c__d-e---f.g, ghcr.io/a/b_c__d-e---f.g:latest",
    "Host/app, Host/app:latest",
  })
  void normalises(String text, String normal) {
    assertThat(Reference.parse(text)).hasToString(normal);
    assertThat(Reference.parse(normal)).hasToString(normal);
  }

  @Test
  void takesDigests() {
    Reference digest = Reference.parse("nginx@" + DIGEST);
    assertThat(digest).hasToString("docker.io/library/nginx@" + DIGEST);
    assertThat(digest.tag()).isEmpty();
    assertThat(digest.selector()).isEqualTo(DIGEST);
    Reference both = Reference.parse("h:1/nginx:1@" + DIGEST);
    assertThat(both).hasToString("h:1/nginx:1@" + DIGEST);
    assertThat(both.tag()).hasValue("1");
    assertThat(both.selector()).isEqualTo(DIGEST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "nginx:",
        "nginx:-x",
        "nginx:a b",
        "a//b",
        "/a",
        "a/",
        "docker.io/",
        "a/UPPER",
        "a/../b",
        "a/b/.",
        "a..b/-",
        "nginx@",
        "nginx@sha256:abc",
        "nginx@md5:0123",
        "nginx@sha256:0123@sha256:4567",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "http://nginx",
        "a\nb",
        "a\0b",
        "host:port/a",
        "-host.x/a",
        "user@host.x/a"
      })
  void refuses(String text) {
    assertThatThrownBy(() -> Reference.parse(text))
        .isInstanceOf(PeapodException.class)
        .satisfies(
            e -> assertThat(((PeapodException) e).kind()).isEqualTo(PeapodException.Kind.INVALID));
  }

  @Test
  void boundsNames() {
    assertThatThrownBy(() -> Reference.parse("a/" + "b".repeat(300)))
        .isInstanceOf(PeapodException.class);
    assertThatThrownBy(() -> Reference.parse("a".repeat(100_000)))
        .isInstanceOf(PeapodException.class)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1000));
  }

  @Test
  void saysThatNamesAreLowerCase() {
    assertThatThrownBy(() -> Reference.parse("docker.io/MyApp")).hasMessageContaining("lower-case");
  }
}
