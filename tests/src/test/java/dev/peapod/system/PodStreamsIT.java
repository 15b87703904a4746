package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Talking with running pods through the client: exec, attach, port-forward, cp, signal, top.
class PodStreamsIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  private static String client() {
    return Fixtures.HOME.resolve("target/peapod/bin/peapod").toString();
  }

  /// Runs the client with a terminal of its own.
  ///
  /// @param prompt what is waited for before anything is typed
  private String onATerminal(String prompt, String typed, String arguments) throws IOException {
    return onATerminal("", prompt, typed, arguments);
  }

  /// @param beside what the terminal's own shell does in the background
  private String onATerminal(String beside, String prompt, String typed, String arguments)
      throws IOException {
    String command = "stty rows 33 cols 122; " + beside + " " + client() + " " + arguments + "; echo \"exit=$?\"";
    ProcessBuilder builder =
        new ProcessBuilder("script", "-qec", command, "/dev/null").redirectErrorStream(true);
    builder.environment().put("PEAPOD_SOCKET", peapod.socket().toString());
    builder.environment().put("TERM", "xterm");
    Process process = builder.start();
    StringBuilder seen = new StringBuilder();
    boolean done = prompt.isEmpty();
    for (int c = process.getInputStream().read(); c >= 0; c = process.getInputStream().read()) {
      seen.append((char) c);
      if (!done && seen.indexOf(prompt) >= 0) {
        process.getOutputStream().write(typed.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        done = true;
      }
    }
    process.onExit().join();
    return seen.toString();
  }

  @Test
  void aCommandHasItsStreams() {
    peapod.apply(Manifests.sleeper("streams"));
    peapod.awaitReady("streams");
    Shell.Result result =
        peapod.clientWith(
            "there and back", "exec", "-i", "streams", "--", "sh", "-c", "cat; echo done >&2; exit 7");
    assertThat(result.exit()).isEqualTo(7);
    assertThat(result.out()).isEqualTo("there and back");
    assertThat(result.err()).isEqualTo("done\n");
    // Without -i the command has no input, and this one none to wait for.
    assertThat(peapod.clientWith("unread", "exec", "streams", "--", "cat").ok()).isEmpty();
    // More than fits into any buffer on the way, in both directions.
    String much = "0123456789abcde\n".repeat(1 << 18);
    assertThat(peapod.clientWith(much, "exec", "-i", "streams", "--", "cat").ok()).isEqualTo(much);
    assertThat(peapod.client("exec", "streams", "--", "sh", "-c", "kill -9 $$").exit())
        .isEqualTo(137);
    Shell.Result none = peapod.client("exec", "streams", "--", "no-such-program");
    assertThat(none.exit()).isEqualTo(1);
    assertThat(none.err()).contains("no-such-program");
    Shell.Result late = peapod.client("exec", "--timeout", "1s", "streams", "--", "sleep", "1234");
    assertThat(late.exit()).isEqualTo(1);
    assertThat(late.err()).contains("took longer than 1s");
    await()
        .atMost(PATIENCE)
        .until(() -> PodProcesses.of(peapod, "sleep 1234").isEmpty());
    assertThat(peapod.client("exec", "streams", "-c", "other", "--", "true").err())
        .contains("container other is not valid for pod streams");
    peapod.delete("streams");
  }

  @Test
  void aCommandHasATerminal() throws IOException {
    peapod.apply(Manifests.sleeper("terminal"));
    peapod.awaitReady("terminal");
    String seen = onATerminal("# ", "stty size; tty; exit 5\n", "exec -it terminal -- sh");
    assertThat(seen).contains("33 122").contains("/dev/pts/0").contains("exit=5");
    peapod.delete("terminal");
  }

  @Test
  void aTerminalThatChangesItsSizeDoesSoForTheCommand() throws IOException {
    peapod.apply(Manifests.sleeper("resized"));
    peapod.awaitReady("resized");
    // What the command is told shows in what it prints, which is what the resize waits for.
    Path seenFirst = directory.resolve("seen");
    String resize =
        "(until grep -q '33 122' " + seenFirst + "; do sleep 0.1; done; stty rows 44 cols 99 </dev/tty) &";
    String loop = "i=0; until stty size | grep '44 99'; do stty size; sleep 0.1; i=$((i+1)); [ $i -lt 600 ] || break; done";
    String seen =
        onATerminal(resize, "", "", "exec -it resized -- sh -c \"" + loop.replace("$", "\\$") + "\" | tee " + seenFirst);
    assertThat(seen).containsSubsequence("33 122", "44 99");
    peapod.delete("resized");
  }

  @Test
  void aContainerCanBeAttached() {
    peapod.apply(
        Manifests.pod(
            "echo",
            "",
            Manifests.container("main", "while read l; do echo got $l; done; echo over; sleep 1000", "stdin: true\nstdinOnce: true\n"),
            Manifests.container("deaf", "exec sleep 100041", "")));
    peapod.awaitReady("echo");
    Shell.Result deaf = peapod.client("attach", "-i", "echo", "-c", "deaf");
    assertThat(deaf.exit()).isEqualTo(1);
    assertThat(deaf.err()).contains("takes no input");
    Follower attached = Follower.fed(peapod, "got one\n", "one\ntwo\n", "attach", "-i", "echo");
    await().atMost(PATIENCE).until(() -> peapod.client("logs", "echo", "-c", "main").ok().contains("over"));
    assertThat(peapod.client("logs", "echo", "-c", "main").ok()).isEqualTo("got one\ngot two\nover\n");
    peapod.delete("echo");
    assertThat(attached.output()).isEqualTo("got one\ngot two\nover\n");
  }

  @Test
  void aContainersTerminalCanBeAttached() throws IOException {
    peapod.apply(
        Manifests.pod(
            "shell",
            "",
            Manifests.container(
                "main",
                "while :; do stty size; read -t 1 l && [ $l = bye ] && exit 3; done",
                "stdin: true\ntty: true\n")));
    peapod.awaitReady("shell");
    String seen = onATerminal("33 122", "bye\n", "attach -it shell");
    assertThat(seen).contains("33 122").contains("exit=0");
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("shell").orElseThrow().getRestarts() > 0);
    assertThat(peapod.client("get", "pod", "shell", "-o", "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}").ok())
        .isEqualTo("3");
    peapod.delete("shell");
  }

  @Test
  void portsAreForwarded() throws IOException {
    peapod.apply(
        Manifests.pod(
            "served",
            "",
            Manifests.container(
                "main",
                "mkdir /www; head -c 5000000 /dev/zero >/www/much; echo hello >/www/index.html; exec httpd -f -p 8000 -h /www",
                "readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}\n")));
    peapod.awaitReady("served");
    Follower forward = new Follower(peapod, "Forwarding from 127.0.0.1:", "port-forward", "served", ":8000", ":9");
    try {
      String local = forward.line().replaceFirst(" -> 8000", "");
      String refused = forward.line().replaceFirst(".*127.0.0.1:", "").replaceFirst(" -> 9", "");
      for (int i = 0; i < 3; i++) {
        assertThat(fetch(local, "/").out()).isEqualTo("hello\n");
      }
      assertThat(fetch(local, "/much").out()).hasSize(5_000_000);
      assertThat(fetch(refused, "/").exit()).isNotZero();
      assertThat(fetch(local, "/").out()).as("after a refused one").isEqualTo("hello\n");
    } finally {
      forward.end();
    }
    Shell.Result none = peapod.client("port-forward", "served", "0");
    assertThat(none.exit()).isEqualTo(2);
    peapod.delete("served");
  }

  private static Shell.Result fetch(String port, String path) {
    return Shell.run(
        "curl", "-s", "--noproxy", "*", "--max-time", "20", "http://127.0.0.1:" + port + path);
  }

  @Test
  void filesAreCopied() throws IOException {
    peapod.apply(Manifests.sleeper("files"));
    peapod.awaitReady("files");
    Path tree = directory.resolve("tree");
    Path deep = Files.createDirectories(tree.resolve("deep"));
    Files.writeString(deep.resolve("file"), "content");
    Files.createSymbolicLink(deep.resolve("link"), Path.of("file"));
    String longName = "n".repeat(180);
    Files.writeString(tree.resolve(longName), "long");
    peapod.client("cp", tree.toString(), "files:/tmp/").ok();
    assertThat(sh("cd /tmp/tree; cat deep/file deep/link " + longName)).isEqualTo("contentcontentlong");
    // Under another name, out again; then into a directory that is there.
    peapod.client("cp", "files:/tmp/tree", directory + "/back").ok();
    assertThat(directory.resolve("back/deep/link")).isSymbolicLink().hasContent("content");
    assertThat(directory.resolve("back/" + longName)).hasContent("long");
    peapod.client("cp", "pod/files:/tmp/tree/deep/file", directory + "/back").ok();
    assertThat(directory.resolve("back/file")).hasContent("content");
    peapod.client("cp", directory + "/back/file", "files:/tmp/renamed", "-c", "main").ok();
    assertThat(sh("cat /tmp/renamed")).isEqualTo("content");
    Shell.Result missing = peapod.client("cp", "files:/no/such", directory.toString());
    assertThat(missing.exit()).isEqualTo(1);
    assertThat(missing.err()).contains("/no");
    assertThat(peapod.client("cp", "a", "b").exit()).isEqualTo(2);
    peapod.delete("files");
  }

  @Test
  void nothingIsWrittenOutsideOfTheTarget() throws IOException {
    // A tar that sends what it likes.
    Path evil = Files.createDirectories(directory.resolve("evil"));
    String make =
        """
        import io, sys, tarfile
        def entry(tar, name, data=None, link=None, kind=None):
            e = tarfile.TarInfo(name)
            if kind: e.type, e.linkname = kind, link
            elif data is None: e.type = tarfile.DIRTYPE; e.mode = 0o755
            else: e.size = len(data)
            tar.addfile(e, io.BytesIO(data or b''))
        for i, entries in enumerate([
            [('x/../../out', b'1')],
            [('/tmp/peat-out', b'1')],
            [('other', b'1')],
            [('x', None), ('x/l', None, '/', tarfile.SYMTYPE), ('x/l/out', b'1')],
            [('x', None), ('x/l', None, '.', tarfile.SYMTYPE), ('x/l/out', b'1')],
            [('x', None, '../out', tarfile.SYMTYPE), ('x', b'1')],
            [('x', None), ('x/h', None, '../../secret', tarfile.LNKTYPE)],
            [('x', None), ('x/f', None, '', tarfile.FIFOTYPE), ('x/good', b'good')],
        ]):
            with tarfile.open('%s/%d.tar' % (sys.argv[1], i), 'w') as tar:
                for e in entries: entry(tar, *e)
        """;
    Files.writeString(directory.resolve("make.py"), make);
    Shell.run("python3", directory + "/make.py", evil.toString()).ok();
    peapod.apply(Manifests.sleeper("evil"));
    peapod.awaitReady("evil");
    peapod.client("cp", evil.toString(), "evil:/evil").ok();
    sh("evil", "printf '#!/bin/sh\\ncat /evil/$(cat /which).tar\\n' >/tmp/tar; chmod +x /tmp/tar; rm -f /bin/tar /usr/bin/tar; cp /tmp/tar /usr/bin/tar");
    Path target = Files.createDirectories(directory.resolve("a/b"));
    Files.writeString(directory.resolve("secret"), "mine");
    for (int i = 0; i < 8; i++) {
      sh("evil", "echo " + i + " >/which");
      Shell.Result result = peapod.client("cp", "evil:/x", target + "/x");
      assertThat(result.exit()).as("archive %d: %s", i, result).isEqualTo(List.of(3, 5, 7).contains(i) ? 0 : 1);
      try (var found = Files.walk(directory.resolve("a"))) {
        assertThat(found.filter(p -> !p.startsWith(target.resolve("x"))))
            .as("archive %d", i)
            .containsExactlyInAnyOrder(directory.resolve("a"), target);
      }
      Shell.run("rm", "-rf", target + "/x").ok();
    }
    assertThat(Path.of("/tmp/peat-out")).doesNotExist();
    assertThat(directory.resolve("out")).doesNotExist();
    assertThat(directory.resolve("secret")).hasContent("mine");
    peapod.delete("evil");
  }

  private String sh(String script) {
    return sh("files", script);
  }

  private String sh(String pod, String script) {
    return peapod.client("exec", pod, "--", "sh", "-c", script).ok();
  }

  @Test
  void signalsReachTheMainProcess() throws IOException {
    String script = "trap 'echo hup' HUP; trap 'echo usr1' USR1; echo up; while :; do sleep 0.1; done";
    peapod.apply(
        Manifests.pod("signals", "", Manifests.container("one", script, ""), Manifests.container("two", script, "")));
    peapod.awaitReady("signals");
    await().atMost(PATIENCE).until(() -> logs("one").equals("up\n") && logs("two").equals("up\n"));
    assertThat(peapod.client("signal", "signals", "-c", "two", "HUP").ok()).contains("\"two\"");
    await().atMost(PATIENCE).until(() -> logs("two").equals("up\nhup\n"));
    assertThat(logs("one")).isEqualTo("up\n");
    peapod.client("signal", "pod/signals", "SIGUSR1").ok();
    await().atMost(PATIENCE).until(() -> logs("one").equals("up\nusr1\n") && logs("two").equals("up\nhup\nusr1\n"));
    assertThat(peapod.client("signal", "signals", "NONSENSE").err()).contains("there is no signal");
    // All containers at once, each line with its own.
    assertThat(peapod.client("logs", "-a", "signals").ok())
        .isEqualTo(
            "[pod/signals/one] up\n[pod/signals/one] usr1\n"
                + "[pod/signals/two] up\n[pod/signals/two] hup\n[pod/signals/two] usr1\n");
    assertThat(peapod.client("logs", "-a", "--no-prefix", "--tail", "1", "signals").ok()).isEqualTo("usr1\nusr1\n");
    assertThat(onATerminal("", "", "logs signals -a --tail 1")).contains("\u001b[36m[pod/signals/one] \u001b[0musr1");
    assertThat(peapod.client("logs", "--timestamps", "--since", "1h", "signals", "-c", "two").ok().lines())
        .hasSize(3)
        .allMatch(line -> line.matches("[0-9-]{10}T[0-9:]{8}\\.[0-9]{9}Z (up|hup|usr1)"));
    assertThat(peapod.client("logs", "--since", "0s", "signals", "-c", "two").ok()).isEmpty();
    peapod.delete("signals");
  }

  private String logs(String container) {
    return peapod.client("logs", "signals", "-c", container).ok();
  }

  @Test
  void whatPodsUseIsShown() {
    peapod.apply(
        Manifests.pod(
            "busy", "", Manifests.container("spin", "while :; do :; done", ""), Manifests.idle("idle")));
    peapod.awaitReady("busy");
    String table = peapod.client("top").ok();
    assertThat(table).contains("POD", "CPU", "MEMORY", "PROCESSES").containsPattern("busy +[1-9][0-9]*m +[0-9.]+Mi +[0-9]+ ");
    List<String> lines = peapod.client("top", "busy", "--containers", "--no-headers").ok().lines().toList();
    assertThat(lines).hasSize(2);
    assertThat(lines.getFirst()).contains("spin");
    assertThat(peapod.client("top", "none").err()).contains("pods \"none\" not found");
    assertThat(peapod.client("top", "-l", "app=none").err()).contains("No running pods");
    peapod.delete("busy");
  }
}
