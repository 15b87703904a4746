package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// The example in the README, as its reader runs it.
class ExampleIT extends MachineTest {
  private static final String RUN = Fixtures.HOME.resolve("examples/run").toString();

  @Test
  void nginxInFrontOfHugo() {
    try {
      Shell.Result first = Shell.run(RUN, "nginx-hugo");
      String page = first.ok();
      assertThat(page)
          .contains("http://localhost:8080/")
          .contains("<h1>Two peas in a pod</h1>")
          .contains("examples/run --stop nginx-hugo");
      for (String namespace : new String[] {"net", "ipc", "uts", "pid"}) {
        String[] ids =
            page.lines()
                .filter(line -> line.strip().startsWith(namespace + " "))
                .findFirst()
                .orElseThrow()
                .strip()
                .split("\\s+", 0);
        assertThat(ids).as("kind, pause, nginx, hugo, host").hasSizeGreaterThanOrEqualTo(4);
        assertThat(ids[2]).as("nginx's %s namespace", namespace).isEqualTo(ids[1]);
        assertThat(ids[3]).as("hugo's %s namespace", namespace).isEqualTo(ids[1]);
      }
      assertThat(Shell.run(RUN, "nginx-hugo").ok()).contains("<h1>Two peas in a pod</h1>");
      assertThat(Shell.run(RUN, "--list").ok()).contains("nginx-hugo");
    } finally {
      Shell.run(RUN, "--stop", "nginx-hugo").ok();
    }
    // Stopping what does not run is fine.
    Shell.run(RUN, "--stop", "nginx-hugo").ok();
  }

  @Test
  void anExampleThatIsNotThere() {
    Shell.Result result = Shell.run(RUN, "no-such-example");
    assertThat(result.exit()).isNotZero();
    assertThat(result.err()).contains("no-such-example").contains("nginx-hugo");
  }
}
