package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.AppliedObject;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.ApplyResponse;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsResponse;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ImageInfo;
import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import dev.peapod.proto.peapod.v1.ImagesGrpc;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.ListPodsResponse;
import dev.peapod.proto.peapod.v1.LogLine;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodExecRequest;
import dev.peapod.proto.peapod.v1.PodExecResponse;
import dev.peapod.proto.peapod.v1.PodLogs;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The client against a server that answers by rote on a real socket: what it asks, prints and
/// exits with.
class MainTest {
  @TempDir Path directory;

  private final PrintStream realOut = System.out;
  private final PrintStream realError = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream error = new ByteArrayOutputStream();
  private final List<Object> requests = new CopyOnWriteArrayList<>();
  private final AtomicLong loaded = new AtomicLong();
  private EventLoopGroup loop;
  private Server server;
  private String socket;

  @BeforeEach
  void serve() throws IOException {
    socket = directory.resolve("s.sock").toString();
    loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .addService(new Pods())
            .addService(new Images())
            .build()
            .start();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(error, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void stop() {
    System.setOut(realOut);
    System.setErr(realError);
    server.shutdownNow();
    loop.shutdownGracefully();
  }

  private int run(String... arguments) {
    String[] all = new String[arguments.length + 2];
    all[0] = "--socket";
    all[1] = socket;
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return Main.run(all);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String error() {
    return error.toString(StandardCharsets.UTF_8);
  }

  @Test
  void appliesFilesAndDirectories() throws IOException {
    Path more = Files.createDirectory(directory.resolve("d"));
    Files.writeString(directory.resolve("a.yaml"), "A");
    Files.writeString(more.resolve("2.json"), "C");
    Files.writeString(more.resolve("1.yml"), "B");
    Files.writeString(more.resolve("readme.md"), "no");
    assertThat(
            run(
                "apply",
                "-n",
                "shop",
                "-f",
                directory + "/a.yaml",
                "-f",
                more.toString(),
                "--replace"))
        .isZero();
    assertThat(out()).isEqualTo("pod/web created\n");
    ApplyRequest request = (ApplyRequest) requests.getFirst();
    assertThat(request.getManifestsList())
        .extracting(m -> m.getContent().toStringUtf8())
        .containsExactly("A", "B", "C");
    assertThat(request.getNamespace()).isEqualTo("shop");
    assertThat(request.getReplace()).isTrue();
  }

  @Test
  void printsEveryErrorLineAsItsOwn() throws IOException {
    Files.writeString(directory.resolve("bad.yaml"), "bad");
    assertThat(run("apply", "-f", directory + "/bad.yaml")).isEqualTo(1);
    assertThat(error()).isEqualTo("peapod: bad.yaml:1:1: one\npeapod: bad.yaml:2:1: two\n");
  }

  @Test
  void saysThatThereIsNoFile() {
    assertThat(run("apply", "-f", "/none.yaml")).isEqualTo(1);
    assertThat(error()).isEqualTo("peapod: there is no file /none.yaml\n");
  }

  @Test
  void listsPods() {
    assertThat(run("get", "pods", "-A")).isZero();
    assertThat(out().lines().toList())
        .satisfiesExactly(
            title ->
                assertThat(title).isEqualTo("NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE"),
            row -> assertThat(row).startsWith("default     web    1/2     Running   0          "));
  }

  @Test
  void showsObjects() {
    assertThat(run("get", "pod/web", "-o", "yaml")).isZero();
    assertThat(out()).isEqualTo("kind: Pod\n");
    out.reset();
    assertThat(run("get", "pods", "-o", "yaml")).isZero();
    assertThat(out()).isEqualTo("apiVersion: v1\nitems:\n- kind: Pod\nkind: List\n");
    out.reset();
    assertThat(run("get", "pods", "-o", "name")).isZero();
    assertThat(out()).isEqualTo("pod/web\n");
  }

  @Test
  void saysWhatIsNotThere() {
    assertThat(run("get", "pod", "none")).isEqualTo(1);
    assertThat(error()).isEqualTo("peapod: pods \"none\" not found\n");
  }

  @Test
  void showsLogsWithTimes() {
    assertThat(run("logs", "web", "-c", "a", "--tail", "5", "--timestamps")).isZero();
    assertThat(out())
        .isEqualTo(
            "2026-01-02T03:04:05.000000006Z one\n2026-01-02T03:04:05.000000006Z long line\n");
    PodLogsRequest request = (PodLogsRequest) requests.getFirst();
    assertThat(request.getTailLines()).isEqualTo(5);
    assertThat(request.getContainer()).isEqualTo("a");
  }

  @Test
  void exitsAsTheCommandDid() {
    assertThat(run("exec", "web", "-c", "a", "--", "sh", "-c", "x")).isEqualTo(7);
    assertThat(out()).isEqualTo("sh -c x");
    assertThat(error()).isEqualTo("oops");
  }

  @Test
  void deletesSeveralAndCarriesOnAfterOneThatIsNotThere() {
    assertThat(run("delete", "pod", "none", "web", "--now")).isEqualTo(1);
    assertThat(out()).isEqualTo("pod \"web\" deleted\n");
    assertThat(error()).isEqualTo("peapod: pods \"none\" not found\n");
    assertThat(((DeletePodsRequest) requests.getLast()).getGracePeriodSeconds()).isEqualTo(1);
    assertThat(((DeletePodsRequest) requests.getLast()).getWait()).isTrue();
    assertThat(run("delete", "pod", "none", "--ignore-not-found", "--no-wait")).isZero();
    assertThat(((DeletePodsRequest) requests.getLast()).getWait()).isFalse();
    assertThat(((DeletePodsRequest) requests.getLast()).hasGracePeriodSeconds()).isFalse();
  }

  @Test
  void loadsAnArchiveInPieces() throws IOException {
    Path archive = directory.resolve("a.tar");
    Files.write(archive, new byte[3 << 20]);
    assertThat(run("image", "load", "-i", archive.toString())).isZero();
    assertThat(out()).isEqualTo("Loaded localhost/a:1\n");
    assertThat(loaded).hasValue(3 << 20);
  }

  @Test
  void tellsWrongUsageFromFailure() {
    assertThat(run("frob")).isEqualTo(2);
    assertThat(error()).isEqualTo("peapod: unknown command \"frob\" (see peapod --help)\n");
    error.reset();
    assertThat(run("restart", "services/web")).isEqualTo(2);
    assertThat(error()).contains("\"services\" are not pods");
    assertThat(run("get", "pods", "--nope")).isEqualTo(2);
    for (String option : List.of("--bogus", "--bogus=1", "-xA")) {
      error.reset();
      assertThat(run("get", "-o", "wide", "--no-headers", option)).isEqualTo(2);
      assertThat(error()).contains("unknown option: '" + option.replaceFirst("=1|A", "") + "'");
    }
    error.reset();
    assertThat(run("get", "-A")).isEqualTo(2);
    assertThat(error()).contains("missing required parameter");
    assertThat(run("delete", "deploy", "web", "--cascade=sideways")).isEqualTo(2);
    assertThat(error()).contains("invalid cascade value (sideways)");
    assertThat(run("apply")).isEqualTo(2);
    assertThat(run("delete")).isEqualTo(2);
    assertThat(run()).isEqualTo(2);
  }

  @Test
  void saysThatTheDaemonIsNotThere() {
    socket = directory.resolve("none.sock").toString();
    assertThat(run("get", "pods")).isEqualTo(3);
    assertThat(error())
        .isEqualTo(
            "peapod: can not reach peapodd on "
                + socket
                + ": there is no such socket; is peapodd running?\n");
  }

  @Test
  void completesItsWordsInEveryShell() {
    for (String shell : List.of("bash", "zsh", "fish")) {
      out.reset();
      assertThat(run("completion", shell)).isZero();
      assertThat(out()).contains("apply", "timestamps");
    }
  }

  @Test
  void helpsWithEveryVerb() {
    for (String verb :
        List.of(
            "apply", "attach", "completion", "cp", "debug", "delete", "describe", "events", "exec", "explain",
            "generate", "get", "image", "logs", "port-forward", "restart", "signal", "top",
            "version", "wait")) {
      out.reset();
      assertThat(run(verb, "--help")).isZero();
      assertThat(out()).startsWith("Usage: peapod " + verb).contains("--socket");
    }
  }

  private <T> void answer(StreamObserver<T> observer, T message) {
    observer.onNext(message);
    observer.onCompleted();
  }

  private static final PodSummary WEB =
      PodSummary.newBuilder()
          .setNamespace("default")
          .setName("web")
          .setUid("u")
          .setStatus("Running")
          .setReadyContainers(1)
          .setTotalContainers(2)
          .build();

  private final class Pods extends PodsGrpc.PodsImplBase {
    @Override
    public void apply(ApplyRequest request, StreamObserver<ApplyResponse> observer) {
      requests.add(request);
      if (request.getManifests(0).getContent().toStringUtf8().equals("bad")) {
        observer.onError(
            Status.INVALID_ARGUMENT
                .withDescription("bad.yaml:1:1: one\nbad.yaml:2:1: two")
                .asRuntimeException());
        return;
      }
      answer(
          observer,
          ApplyResponse.newBuilder()
              .addObjects(
                  AppliedObject.newBuilder()
                      .setKind("Pod")
                      .setName("web")
                      .setResult(AppliedObject.Result.CREATED))
              .build());
    }

    private Pod pod(PodView view) {
      return Pod.newBuilder()
          .setSummary(WEB)
          .setText(view == PodView.POD_VIEW_YAML ? "kind: Pod\n" : "")
          .build();
    }

    @Override
    public void list(ListPodsRequest request, StreamObserver<ListPodsResponse> observer) {
      answer(observer, ListPodsResponse.newBuilder().addPods(pod(request.getView())).build());
    }

    @Override
    public void get(GetPodRequest request, StreamObserver<Pod> observer) {
      if (!request.getName().equals("web")) {
        observer.onError(notFound(request.getName()));
        return;
      }
      answer(observer, pod(request.getView()));
    }

    private RuntimeException notFound(String name) {
      return Status.NOT_FOUND
          .withDescription("pods \"" + name + "\" not found")
          .asRuntimeException();
    }

    @Override
    public void delete(DeletePodsRequest request, StreamObserver<DeletePodsResponse> observer) {
      requests.add(request);
      if (!request.getSelector().getName().equals("web")) {
        observer.onError(notFound(request.getSelector().getName()));
        return;
      }
      DeletePodsResponse.Builder response = DeletePodsResponse.newBuilder();
      response.addPodsBuilder().setNamespace("default").setName("web").setExisted(true);
      answer(observer, response.build());
    }

    @Override
    public void logs(PodLogsRequest request, StreamObserver<PodLogs> observer) {
      requests.add(request);
      long time = 1_767_323_045_000_000_006L;
      answer(
          observer,
          PodLogs.newBuilder()
              .addLines(
                  LogLine.newBuilder().setTimeNs(time).setText(ByteString.copyFromUtf8("one")))
              .addLines(
                  LogLine.newBuilder()
                      .setTimeNs(time)
                      .setPartial(true)
                      .setText(ByteString.copyFromUtf8("long ")))
              .addLines(
                  LogLine.newBuilder().setTimeNs(time).setText(ByteString.copyFromUtf8("line")))
              .build());
    }

    @Override
    public StreamObserver<PodExecRequest> exec(StreamObserver<PodExecResponse> observer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(PodExecRequest request) {
          String command = String.join(" ", request.getStart().getCommandList());
          observer.onNext(
              PodExecResponse.newBuilder().setStdout(ByteString.copyFromUtf8(command)).build());
          observer.onNext(
              PodExecResponse.newBuilder().setStderr(ByteString.copyFromUtf8("oops")).build());
          observer.onNext(PodExecResponse.newBuilder().setExitCode(7).build());
          observer.onCompleted();
        }

        @Override
        public void onError(Throwable cause) {}

        @Override
        public void onCompleted() {}
      };
    }
  }

  private final class Images extends ImagesGrpc.ImagesImplBase {
    @Override
    public StreamObserver<ImageLoadRequest> load(StreamObserver<ImageLoadResponse> observer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(ImageLoadRequest request) {
          loaded.addAndGet(request.getChunk().size());
        }

        @Override
        public void onError(Throwable cause) {}

        @Override
        public void onCompleted() {
          answer(
              observer,
              ImageLoadResponse.newBuilder()
                  .addImages(ImageInfo.newBuilder().addTags("localhost/a:1"))
                  .build());
        }
      };
    }
  }
}
