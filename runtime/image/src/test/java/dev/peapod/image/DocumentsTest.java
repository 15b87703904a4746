package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.image.manifest.ManifestDocument.Index;
import dev.peapod.image.manifest.ManifestDocument.Manifest;
import dev.peapod.image.manifest.ManifestReader;
import dev.peapod.image.manifest.Platform;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Manifests, indexes and configurations, well and badly written.
class DocumentsTest {
  private static final String DIGEST = "sha256:" + "a".repeat(64);
  private static final String CONFIG =
      "'config':{'mediaType':'application/vnd.oci.image.config.v1+json','digest':'"
          + DIGEST
          + "','size':2}";
  private static final String LAYER =
      "{'mediaType':'application/vnd.oci.image.layer.v1.tar','digest':'" + DIGEST + "','size':5}";

  private static byte[] json(String text) {
    return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void readsManifestAndIndex() {
    assertThat(
            ManifestReader.read(
                json("{'schemaVersion':2," + CONFIG + ",'layers':[" + LAYER + "]}"), ""))
        .isInstanceOfSatisfying(
            Manifest.class, m -> assertThat(m.layers().getFirst().size()).isEqualTo(5));
    assertThat(ManifestReader.read(json("{'manifests':[" + LAYER + "]}"), ManifestReader.OCI_INDEX))
        .isInstanceOf(Index.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'manifests':[],CONFIG,'layers':[]} | both a manifest and an index",
        "{'manifests':[],'layers':[]} | both a manifest and an index",
        "{'manifests':[],'config':null} | both a manifest and an index",
        "{'manifests':[],'manifests':[]} | Duplicate",
        "{CONFIG,'layers':[],'mediaType':'application/vnd.oci.image.index.v1+json'} | is not the",
        "{'schemaVersion':1,'fsLayers':[]} | schema 1",
        "{} | neither",
        "[] | not a JSON object",
        "{CONFIG} | layers is not a list",
        "{CONFIG,'layers':[{}]} | no size",
        "{CONFIG,'layers':[{'size':-1}]} | negative",
        "{CONFIG,'layers':[{'size':99999999999999999999}]} | no size",
        "{CONFIG,'layers':[{'size':1}]} | no digest",
        "{CONFIG,'layers':[{'size':1,'digest':'../../etc/passwd'}]} | not a digest",
        "{CONFIG,'layers':[{'size':1,'digest':'sha256:../../x'}]} | not a digest",
        "{CONFIG,'layers':[]} {} | not valid JSON",
        "{'config':{'mediaType':'application/vnd.cncf.helm.config.v1+json','digest':'DIGEST','size':1},'layers':[]}"
            + " | not a container image",
      })
  void refusesManifests(String text, String said) {
    String document = text.replace("CONFIG", CONFIG).replace("DIGEST", DIGEST);
    assertThatThrownBy(() -> ManifestReader.read(json(document), ""))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said);
  }

  @Test
  void refusesADocumentThatIsNotWhatTheRegistrySays() {
    byte[] index = json("{'manifests':[]}");
    assertThatThrownBy(() -> ManifestReader.read(index, ManifestReader.DOCKER_MANIFEST))
        .isInstanceOf(PeapodException.class);
  }

  @Test
  void boundsDocuments() {
    assertThatThrownBy(() -> ManifestReader.read(new byte[(4 << 20) + 1], ""))
        .hasMessageContaining("4 MiB");
    assertThatThrownBy(() -> ImageConfigReader.read(new byte[(8 << 20) + 1]))
        .hasMessageContaining("8 MiB");
    String deep = "[".repeat(100_000);
    assertThatThrownBy(() -> ImageConfigReader.read(json("{'config':" + deep)))
        .isInstanceOf(PeapodException.class);
    String layers = (LAYER + ",").repeat(128);
    assertThatThrownBy(
            () ->
                ManifestReader.read(
                    json(
                        "{"
                            + CONFIG
                            + ",'layers':["
                            + layers.substring(0, layers.length() - 1)
                            + "]}"),
                    ""))
        .hasMessageContaining("at most 127");
  }

  @Test
  void readsConfigurations() {
    ImageConfig config =
        ImageConfigReader.read(
            json(
                "{'architecture':'amd64','os':'linux','config':{'User':'1:2','Env':['A=b'],"
                    + "'Entrypoint':['/e'],'Cmd':null,'WorkingDir':'/w','StopSignal':'SIGINT',"
                    + "'Volumes':{'/v':{}},'ExposedPorts':{'80/tcp':{}},'Labels':{'a':'b'}},"
                    + "'rootfs':{'type':'layers','diff_ids':['"
                    + DIGEST
                    + "']}}"));
    assertThat(config.user()).isEqualTo("1:2");
    assertThat(config.cmd()).isEmpty();
    assertThat(config.stopSignal()).hasValue("SIGINT");
    assertThat(config.volumes()).containsExactly("/v");
    assertThat(config.exposedPorts()).containsExactly("80/tcp");
    assertThat(config.labels()).containsEntry("a", "b");
    assertThat(config.diffIds()).containsExactly(Digest.parse(DIGEST));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | no rootfs",
        "{'os':'windows','rootfs':{}} | for windows",
        "{'rootfs':{'diff_ids':['x']}} | not a digest",
        "{'config':{'Env':'A=b'},'rootfs':{}} | Env is not a list",
        "{'config':{'Env':[1]},'rootfs':{}} | Env is not a list of texts",
        "{'config':{'User':'a\\u0000b'},'rootfs':{}} | NUL",
        "{'config':{'Env':['a\\u0000b']},'rootfs':{}} | NUL",
        "{'config':[],'rootfs':{}} | config is not an object",
      })
  void refusesConfigurations(String text, String said) {
    assertThatThrownBy(() -> ImageConfigReader.read(json(text)))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining(said);
  }

  @Test
  void knowsWhatRunsHere() {
    Platform arm = new Platform("linux", "arm64", Optional.of("v8"));
    Platform amd = new Platform("linux", "amd64", Optional.empty());
    assertThat(arm.runs(new Platform("linux", "arm64", Optional.empty()))).isTrue();
    assertThat(arm.runs(new Platform("linux", "arm64", Optional.of("v8")))).isTrue();
    assertThat(arm.runs(new Platform("linux", "arm", Optional.of("v7")))).isFalse();
    assertThat(amd.runs(new Platform("linux", "amd64", Optional.of("v3")))).isFalse();
    assertThat(amd.runs(new Platform("windows", "amd64", Optional.empty()))).isFalse();
    assertThat(amd.runs(new Platform("unknown", "unknown", Optional.empty()))).isFalse();
  }
}
