package dev.peapod.system;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs classes of tests in the guest and writes down how each test ended.
///
/// Arguments: the file to write to, then the classes, or methods as `class#method`. A line of the file is what happened, the test and how long it took, with
/// tabs between; the stack of a failure follows, indented by a tab.
final class GuestTests implements TestExecutionListener {
  private final PrintWriter results;
  private long start;
  private boolean failed;

  private GuestTests(PrintWriter results) {
    this.results = results;
  }

  public static void main(String[] arguments) throws IOException {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(Arrays.stream(arguments).skip(1).map(GuestTests::select).toList())
            .build();
    boolean failed;
    try (PrintWriter results =
        new PrintWriter(
            Files.newBufferedWriter(Path.of(arguments[0]), StandardCharsets.UTF_8), true)) {
      GuestTests tests = new GuestTests(results);
      LauncherFactory.create().execute(request, tests);
      failed = tests.failed;
    }
    System.exit(failed ? 1 : 0);
  }

  private static DiscoverySelector select(String test) {
    return test.contains("#") ? selectMethod(test) : selectClass(test);
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      start = System.nanoTime();
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    write("skipped", test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (test.isTest()) {
          write("ok", test, "");
        }
      }
      case ABORTED ->
          write("skipped", test, result.getThrowable().map(Throwable::getMessage).orElse(""));
      case FAILED -> {
        failed = true;
        StringWriter stack = new StringWriter();
        result.getThrowable().ifPresent(t -> t.printStackTrace(new PrintWriter(stack)));
        write("failed", test, stack.toString());
      }
    }
  }

  private void write(String what, TestIdentifier test, String detail) {
    long millis = test.isTest() ? (System.nanoTime() - start) / 1_000_000 : 0;
    String line = "%s\t%s\t%d ms".formatted(what, name(test), millis);
    System.out.println(line.replace('\t', ' '));
    results.println(line);
    detail.lines().forEach(l -> results.println("\t" + l));
  }

  private static String name(TestIdentifier test) {
    return test.getSource()
        .filter(MethodSource.class::isInstance)
        .map(MethodSource.class::cast)
        .map(m -> m.getJavaClass().getSimpleName() + "." + m.getMethodName())
        .orElse(test.getDisplayName());
  }
}
