package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Archives, outputs and volumes that aim at the host or at the daemon's memory, against the installed daemon. A tree of the
/// host must stay as it is.
@SuppressWarnings("NullAway.Init")
class HostileInputIT extends SystemTest {
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB");
  private static final String ARCHIVE =
      """
      set -euo pipefail
      home=$1 images=$2 victim=$3
      . "$home/examples/lib/debian.sh"
      . "$home/examples/lib/images.sh"
      mkdir -p "$images/layers" "$images/files"
      layer=$images/layers/more.tar
      cp "$home/tests/target/fixtures/debian/layers/base.tar" "$images/layers/"
      tar -c -f "$layer" -T /dev/null
      cd "$images/files"
      add() { tar -r -P -f "$layer" --owner=5 --group=5 --mode=0777 "$@"; }
      archive() { images_archive "$images/image.tar" localhost/hostile:1 '{}' base more; }
      """;

  @TempDir Path temp;
  private Victim victim;

  @BeforeEach
  void makeAVictim() {
    victim = Victim.make(temp.resolve("victim"));
  }

  @AfterEach
  void nothingOfTheHostHasChanged() {
    victim.assertUntouched();
  }

  private void make(String script) {
    Shell.run(
            Map.of(),
            "",
            List.of(
                "bash",
                "-c",
                ARCHIVE + script,
                "hostile",
                Fixtures.HOME.toString(),
                temp.toString(),
                victim.path().toString()))
        .ok();
  }

  private Shell.Result load() {
    Shell.Result loaded = peapod.client("image", "load", "-i", temp.resolve("image.tar").toString());
    assertThat(peapod.client("get", "pods").exit()).as("the daemon is there").isZero();
    return loaded;
  }

  /// CVE-2021-32760, CVE-2025-47290: files of a layer that are to be written, linked, changed or hidden outside of it. What
  /// can be read as a path inside is one.
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiterString = "=>",
      quoteCharacter = '`',
      value = {
        "dots => echo x >f; add --transform \"s,^f,../../../../../../../..$victim/made,\" f=> leads out",
        "absolute => echo x >f; add --transform \"s,^f,$victim/made,\" f =>",
        "link and below it => ln -s $victim out; add out; echo x >f; add --transform s,^f,out/made, f =>",
        "mode through a link => ln -s $victim/file f; add f; rm f; echo x >f; add f =>",
        "directory over a link => ln -s $victim/etc d; add d; rm d; mkdir d; echo x >d/passwd; add d =>",
        "hard link to the host => echo x >a; ln a b; add --transform \"flags=h;s,^a$,$victim/file,\" a b =>",
        "hard link by dots => echo x >a; ln a b; add --transform \"flags=h;s,^a$,../../../../../../../..$victim/file,\" a b"
            + " => leads out",
        "hidden through a link => ln -s $victim out; add out; touch f; add --transform s,^f,out/.wh.file, f =>",
        "all hidden through a link => ln -s $victim out; add out; touch f; add --transform s,^f,out/.wh..wh..opq, f =>",
      })
  void aLayerLeadsOut(String name, String script, String said) {
    make(script + "\narchive\n");
    Shell.Result loaded = load();
    if (said != null) {
      assertThat(loaded.exit()).isNotZero();
      assertThat(loaded.err()).contains(said);
    }
    peapod.client("image", "rm", "localhost/hostile:1");
  }

  /// Documents and blobs of an archive that are links to the host's files, or names outside of it.
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiterString = "=>",
      quoteCharacter = '`',
      value = {
        "a document is a link => rm index.json manifest.json; ln -s $victim/file index.json",
        "a blob is a link => for b in blobs/sha256/*; do ln -sf $victim/file $b; done",
        "a directory is a link => rm -r blobs; ln -s $victim blobs",
        "a name leads out => echo x >f; more=(--transform \"s,^f$,../../../../../../../..$victim/made,\" f)",
        "a name is absolute => echo x >f; more=(--transform \"s,^f$,$victim/made,\" f)",
      })
  void anArchiveLeadsOut(String name, String script) {
    make(
        "echo x >f; add f; archive; mkdir ../whole; tar -x -f ../image.tar -C ../whole; cd ../whole; more=()\n"
            + script
            + "\ntar -c -P --exclude=./f -f ../image.tar \"${more[@]}\" .\n");
    load();
    peapod.client("image", "rm", "localhost/hostile:1");
  }

  /// CVE-2023-25153: documents that would not fit into the daemon's memory, or its stack.
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiterString = "=>",
      quoteCharacter = '`',
      value = {
        "a huge index => (printf '{\"manifests\":[{\"digest\":\"'; head -c 250M /dev/zero | tr '\\0' a) >index.json;"
            + " rm manifest.json",
        "a deep index => head -c 3M /dev/zero | tr '\\0' '[' >index.json; rm manifest.json",
        "a huge list => (printf '['; { yes '{},' || :; } | head -c 250M) >manifest.json; rm index.json oci-layout",
        "many names => mkdir names; (cd names; seq 100000 | xargs touch); rm index.json manifest.json",
      })
  void aDocumentThatIsTooLarge(String name, String script) {
    make(
        "echo x >f; add f; archive; mkdir ../whole; tar -x -f ../image.tar -C ../whole; cd ../whole\n"
            + script
            + "\ntar -c -f ../image.tar .\n");
    Shell.Result loaded = load();
    assertThat(loaded.exit()).isNotZero();
    assertThat(loaded.err()).isNotBlank().doesNotContain("Exception");
  }

  /// CVE-2022-1708, CVE-2022-31030: several commands that write without end, side by side.
  @Test
  void commandsThatWriteWithoutEnd() throws Exception {
    peapod.submit(Manifests.sleeper("loud"));
    peapod.awaitReady("loud");
    String container =
        peapod
            .podsCri()
            .listContainers(dev.peapod.proto.runtime.v1.ListContainersRequest.getDefaultInstance())
            .getContainers(0)
            .getId();
    CriPods cri = new CriPods(peapod::podsCri, peapod.directory(), Fixtures.BUSYBOX);
    cri.exec(container, "true");
    long before = resident();
    try (ExecutorService executor = Executors.newFixedThreadPool(6)) {
      List<Future<ExecSyncResponse>> all = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        all.add(
            executor.submit(
                () -> cri.exec(container, "head -c 64000000 /dev/zero & head -c 64000000 /dev/zero >&2; wait")));
      }
      Future<?> endless =
          executor.submit(
              () ->
                  assertThatThrownBy(() -> cri.exec(container, 5, "sh", "-c", "cat /dev/zero & cat /dev/zero >&2"))
                      .isInstanceOf(StatusRuntimeException.class)
                      .hasMessageContaining("DEADLINE_EXCEEDED"));
      for (Future<ExecSyncResponse> one : all) {
        ExecSyncResponse answer = one.get();
        assertThat(answer.getExitCode()).isZero();
        assertThat(answer.getStdout().size() + answer.getStderr().size()).isBetween(1, 16 << 20);
      }
      endless.get();
    }
    assertThat(resident()).as("KiB resident, after %d", before).isLessThan(before + (200 << 10));
    peapod.withdraw("loud");
  }

  private long resident() throws IOException {
    Matcher matcher = RESIDENT.matcher(Files.readString(Path.of("/proc/" + peapod.pid() + "/status")));
    assertThat(matcher.find()).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  /// CVE-2025-9566: what a container has planted in a volume that it shares, where the next one has documents mounted and its
  /// working directory made; and the documents' next version.
  @Test
  void aDocumentIsWrittenOverAPlantedLink() {
    String document =
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: planted}
        data: {file: %s}
        """;
    String plant =
        "ln -s VICTIM/etc /v/directory; ln -s VICTIM/file /v/file; ln -s ../../../../../../../..VICTIM /v/up; ln -s VICTIM/self /v/work"
            .replace("VICTIM", victim.path().toString());
    peapod.apply(document.formatted("first"));
    peapod.apply(
        Manifests.pod(
            "planted",
            """
            volumes:
              - {name: shared, emptyDir: {}}
              - {name: conf, configMap: {name: planted}}
            initContainers:
            """
                + Manifests.container(
                        "planter", plant, "volumeMounts: [{name: shared, mountPath: /v}]\n")
                    .indent(2),
            Manifests.container(
                "main",
                "touch here; echo over >/v/directory/passwd; exec sleep 100031",
                """
                workingDir: /v/work/made
                volumeMounts:
                  - {name: shared, mountPath: /v}
                  - {name: conf, mountPath: /v/directory}
                  - {name: conf, mountPath: /v/up/deeper}
                  - {name: conf, mountPath: /v/file, subPath: file}
                """)));
    peapod.awaitReady("planted");
    assertThat(sh("cat /v/directory/file /v/up/deeper/file /v/file")).isEqualTo("firstfirstfirst");
    victim.assertUntouched();
    // Into the volume of the documents itself nothing can be planted.
    assertThat(peapod.client("exec", "planted", "--", "ln", "-s", "/", "/v/directory/link").exit()).isNotZero();
    peapod.apply(document.formatted("second"));
    await()
        .atMost(Duration.ofSeconds(90))
        .until(() -> sh("cat /v/directory/file /v/up/deeper/file"), "secondsecond"::equals);
    peapod.delete("planted");
    peapod.clientWith(document.formatted("second"), "delete", "-f", "-").ok();
  }

  private String sh(String script) {
    return peapod.client("exec", "planted", "--", "sh", "-c", script).ok().strip();
  }
}
