package dev.peapod.engine.security;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.engine.model.SelinuxLabel;
import org.junit.jupiter.api.Test;

class SelinuxContextTest {
  private static final String PROCESSES = "system_u:system_r:container_t:s0";
  private static final String FILES = "system_u:object_r:container_file_t:s0";

  private static SelinuxContext complete(String user, String role, String type, String level) {
    return SelinuxContext.complete(new SelinuxLabel(user, role, type, level), PROCESSES, FILES);
  }

  @Test
  void whatIsNotAskedForIsThePolicys() {
    assertThat(complete("", "", "", "s0:c1,c2"))
        .isEqualTo(
            new SelinuxContext(
                "system_u:system_r:container_t:s0:c1,c2",
                "system_u:object_r:container_file_t:s0:c1,c2"));
    assertThat(complete("", "", "spc_t", ""))
        .isEqualTo(new SelinuxContext("system_u:system_r:spc_t:s0", FILES));
  }

  @Test
  void filesHaveTheUserAndTheLevelOfProcesses() {
    assertThat(complete("user_u", "user_r", "user_t", "s0-s0:c3"))
        .isEqualTo(
            new SelinuxContext(
                "user_u:user_r:user_t:s0-s0:c3", "user_u:object_r:container_file_t:s0-s0:c3"));
  }

  @Test
  void aPolicyMayHaveNoLevels() {
    SelinuxLabel asked = new SelinuxLabel("", "", "t", "");
    assertThat(SelinuxContext.complete(asked, "system_u:system_r:lxc_t", "system_u:object_r:lxc_file_t"))
        .isEqualTo(new SelinuxContext("system_u:system_r:t", "system_u:object_r:lxc_file_t"));
  }
}
