package dev.peapod.engine.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SecurityProfile;
import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.error.PeapodException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UserResolverTest {
  private static final String PASSWD =
      """
      # people
      root:x:0:0:root:/root:/bin/sh
      app:x:1000:1001:App:/home/app:/bin/sh
      bad
      huge:x:4294967296:0::/:
      wraps:x:4294967295:0::/:
      sly:x:7:7::/home/a\u0007b:/bin/sh
      """;
  private static final String GROUP =
      """
      root:x:0:
      app:x:1001:
      audio:x:29:other,app
      wheel:x:10:app
      huge:x:9999999999:app
      """;

  private static UserResolver.Resolved resolve(SecuritySpec security, String imageUser) {
    Map<String, String> files = Map.of("/etc/passwd", PASSWD, "/etc/group", GROUP);
    RootFiles root =
        (path, max) ->
            Optional.ofNullable(files.get(path)).map(t -> t.getBytes(StandardCharsets.UTF_8));
    return new UserResolver("c", root).resolve(security, imageUser);
  }

  private static SecuritySpec security(
      @Nullable Long user, @Nullable Long group, String name, List<Long> groups, boolean strict) {
    return new SecuritySpec(
        List.of(),
        List.of(),
        List.of(),
        false,
        NamespaceMode.POD,
        "",
        user,
        group,
        name,
        groups,
        strict,
        false,
        false,
        List.of(),
        List.of(),
        SecurityProfile.UNCONFINED,
        SecurityProfile.RUNTIME_DEFAULT,
        null);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|0|0|/root|0",
        "app|1000|1001|/home/app|1001 29 10",
        "1000|1000|1001|/home/app|1001 29 10",
        "app:audio|1000|29|/home/app|29 10",
        "1000:5|1000|5|/home/app|5 29 10",
        "4242|4242|0|/|0",
        "4242:4243|4242|4243|/|4243",
        "2147483647|2147483647|0|/|0",
        "sly|7|7|/|7",
      })
  void readsTheImagesUser(String user, long uid, long gid, String home, String groups) {
    UserResolver.Resolved resolved = resolve(SecuritySpec.DEFAULT, user);
    assertThat(resolved.ids().uid()).isEqualTo(uid);
    assertThat(resolved.ids().gid()).isEqualTo(gid);
    assertThat(resolved.home()).isEqualTo(home);
    assertThat(resolved.ids().groups().stream().map(String::valueOf))
        .containsExactly(groups.split(" "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nobody",
        "huge",
        "wraps",
        "2147483648",
        "4294967295",
        "4294967296",
        "-1",
        "app:none",
        "app:9999999999"
      })
  void refusesUsersThatCanNotBe(String user) {
    assertThatThrownBy(() -> resolve(SecuritySpec.DEFAULT, user))
        .isInstanceOf(PeapodException.class)
        .extracting(e -> ((PeapodException) e).kind())
        .isEqualTo(PeapodException.Kind.INVALID);
  }

  @Test
  void letsTheRequestGoBeforeTheImage() {
    assertThat(resolve(security(1000L, null, "", List.of(5L), false), "root").ids().groups())
        .containsExactly(1001L, 5L, 29L, 10L);
    assertThat(resolve(security(1000L, 77L, "", List.of(5L), true), "root").ids().groups())
        .containsExactly(77L, 5L);
    assertThat(resolve(security(null, null, "app", List.of(), true), "").ids().uid())
        .isEqualTo(1000);
  }

  @Test
  void refusesIdsOutOfRange() {
    for (long id : List.of(-1L, 1L << 31, 1L << 32, Long.MAX_VALUE)) {
      assertThatThrownBy(() -> resolve(security(id, null, "", List.of(), false), ""))
          .hasMessageContaining("run_as_user " + id);
      assertThatThrownBy(() -> resolve(security(1L, id, "", List.of(), false), ""))
          .hasMessageContaining("run_as_group " + id);
      assertThatThrownBy(() -> resolve(security(1L, null, "", List.of(id), false), ""))
          .hasMessageContaining("supplemental_groups " + id);
    }
    assertThatThrownBy(() -> resolve(security(null, 5L, "", List.of(), false), "app"))
        .hasMessageContaining("run_as_group needs run_as_user");
  }

  @Test
  void runsWithoutPasswd() {
    UserResolver resolver = new UserResolver("c", (path, max) -> Optional.empty());
    assertThat(resolver.resolve(SecuritySpec.DEFAULT, "").ids().uid()).isZero();
    assertThatThrownBy(() -> resolver.resolve(SecuritySpec.DEFAULT, "app"))
        .hasMessage("container \"c\": user \"app\" is not in the image's /etc/passwd");
  }
}
