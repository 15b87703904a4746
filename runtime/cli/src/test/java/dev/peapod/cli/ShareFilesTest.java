package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/// Manual pages and completions, read by the programs that they are for.
class ShareFilesTest {
  private static final Map<String, String> FILES = ShareFiles.all();

  @TempDir Path directory;

  private static Stream<String> pages() {
    return FILES.keySet().stream().filter(path -> path.startsWith("man/"));
  }

  private static void assumeInstalled(String program) {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(place -> Files.isExecutable(Path.of(place, program))),
        program + " is not installed");
  }

  /// What a program prints, errors included.
  private String output(String... command) throws IOException {
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void everyCommandHasAPage() {
    assertThat(pages())
        .contains(
            "man/man1/peapod.1",
            "man/man1/peapod-debug.1",
            "man/man1/peapod-image.1",
            "man/man1/peapod-image-ls.1",
            "man/man1/peapod-rollout-status.1")
        .hasSize(commands(Main.line("")));
  }

  /// Of this command and all below it, each counted once, whatever its aliases.
  private static int commands(CommandLine line) {
    return 1
        + line.getSubcommands().values().stream()
            .distinct()
            .mapToInt(ShareFilesTest::commands)
            .sum();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void pagesAreRenderedWithoutAWarning(String page) throws IOException {
    assumeInstalled("groff");
    Path file = Files.writeString(directory.resolve("page.1"), FILES.getOrDefault(page, ""));
    assertThat(output("groff", "-man", "-ww", "-Tutf8", "-z", file.toString())).isEmpty();
    String text = output("groff", "-man", "-Tascii", "-P-c", "-P-b", "-P-u", "-rLL=300n", file.toString());
    assertThat(text)
        .contains("NAME", "SYNOPSIS", "DESCRIPTION", "--help", "EXIT STATUS", "SEE ALSO")
        .contains(page.replaceFirst(".*/(.*)\\.1", "$1") + " - ")
        .doesNotContain("\\f", "null");
  }

  @Test
  void bashCompletesVerbsOptionsAndPods() throws IOException {
    assumeInstalled("bash");
    Files.writeString(
        directory.resolve("completion"), FILES.getOrDefault("bash-completion/completions/peapod", ""));
    Files.writeString(
        directory.resolve("complete"),
        """
        peapod() { [[ $* == *jsonpath* ]] && echo first second && return; [[ $* == *'-n other'* ]] && echo pod/theirs || printf 'pod/web\\npod/worker\\npod/db\\n'; }
        compopt() { :; }
        source ./completion
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE}
        $(complete -p peapod | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        printf '%s\\n' "${COMPREPLY[@]}"
        """);
    assertThat(completed("peapod", "de")).containsExactlyInAnyOrder("debug", "delete", "describe");
    assertThat(completed("peapod", "debug", "--pro")).containsExactly("--profile");
    assertThat(completed("peapod", "image", "l")).contains("ls", "load");
    assertThat(completed("peapod", "exec", "w")).containsExactly("web", "worker");
    assertThat(completed("peapod", "logs", "-n", "other", "")).containsExactly("theirs");
    assertThat(completed("peapod", "attach", "pod/d")).containsExactly("pod/db");
    assertThat(completed("peapod", "get", "")).contains("pod/web", "services");
    assertThat(completed("peapod", "get", "-o", "j")).containsExactlyInAnyOrder("json", "jsonpath=");
    assertThat(completed("peapod", "get", "-l", "w")).containsExactly("");
    assertThat(completed("peapod", "get", "-l", "app=web", "pods", "w")).containsExactly("web", "worker");
    assertThat(completed("peapod", "logs", "web", "-c", "s")).containsExactly("second");
    assertThat(completed("peapod", "apply", "-f", "compl"))
        .containsExactlyInAnyOrder("complete", "completion");
    assertThat(completed("peapod", "delete", "pod", "d")).containsExactly("db");
    assertThat(completed("peapod", "exec", "web", "--", "w")).containsExactly("");
  }

  @Test
  void fishCompletesVerbsOptionsAndPods() throws IOException {
    assumeInstalled("fish");
    Files.writeString(
        directory.resolve("completion"), FILES.getOrDefault("fish/vendor_completions.d/peapod.fish", ""));
    Files.writeString(
        directory.resolve("complete"),
        """
        function peapod
            string match -q '*jsonpath*' -- "$argv"; and echo first second; and return
            printf 'pod/web\npod/worker\n'
        end
        source ./completion
        complete -C"$argv" | string replace -r '\t.*' ''
        """);
    assertThat(inFish("peapod de")).containsExactlyInAnyOrder("debug", "delete", "describe");
    assertThat(inFish("peapod get ")).contains("pod/web", "services");
    assertThat(inFish("peapod get -l app=web pods ")).containsExactly("web", "worker");
    assertThat(inFish("peapod get -o j")).containsExactlyInAnyOrder("json", "jsonpath=");
    assertThat(inFish("peapod exec w")).containsExactlyInAnyOrder("web", "worker");
    assertThat(inFish("peapod logs web -c ")).containsExactlyInAnyOrder("first", "second");
    assertThat(inFish("peapod apply -f compl")).contains("complete", "completion");
    assertThat(inFish("peapod completion ")).contains("bash", "zsh", "fish");
  }

  private List<String> inFish(String line) throws IOException {
    return output("fish", "complete", line).lines().toList();
  }

  private List<String> completed(String... words) throws IOException {
    String[] command = new String[words.length + 2];
    command[0] = "bash";
    command[1] = "complete";
    System.arraycopy(words, 0, command, 2, words.length);
    return output(command).lines().map(String::strip).toList();
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void scriptsAreReadByTheirShells(String shell, String path) throws IOException {
    assumeInstalled(shell);
    Path file = Files.writeString(directory.resolve("script"), FILES.getOrDefault(path, ""));
    assertThat(output(shell, "-n", file.toString())).isEmpty();
  }

  private static Stream<Arguments> scripts() {
    return Stream.of(
        Arguments.of("bash", "bash-completion/completions/peapod"),
        Arguments.of("zsh", "zsh/site-functions/_peapod"),
        Arguments.of(
            "fish", "fish/vendor_completions.d/peapod.fish"));
  }
}
