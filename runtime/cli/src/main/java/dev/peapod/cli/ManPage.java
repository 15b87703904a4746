package dev.peapod.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// One command's help as a manual page, in the man(7) language.
final class ManPage {
  private final CommandSpec spec;
  private final StringBuilder out = new StringBuilder();

  private ManPage(CommandSpec spec) {
    this.spec = spec;
  }

  /// The pages of a command and of those below it, by their names (`peapod-image-ls`).
  static Map<String, String> of(CommandLine command, String version) {
    Map<String, String> pages = new TreeMap<>();
    collect(command, version, pages);
    return pages;
  }

  private static void collect(CommandLine command, String version, Map<String, String> pages) {
    CommandSpec spec = command.getCommandSpec();
    pages.put(name(spec), new ManPage(spec).page(version));
    // An alias is the same command once more.
    new HashSet<>(command.getSubcommands().values()).forEach(sub -> collect(sub, version, pages));
  }

  private static String name(CommandSpec spec) {
    return spec.qualifiedName("-");
  }

  private String page(String version) {
    // Without a date: the same sources make the same page.
    line(".TH " + roff(name(spec).toUpperCase(java.util.Locale.ROOT)) + " 1 \"\" \"peapod "
        + version + "\" \"Peapod\"");
    line(".nh\n.ad l");
    heading("NAME");
    line(roff(name(spec)) + " \\- " + roff(summary(spec)));
    heading("SYNOPSIS");
    String synopsis = new Help(spec, Help.defaultColorScheme(Help.Ansi.OFF)).synopsis(0);
    line(roff(String.join(" ", synopsis.strip().split("\\s+"))));
    heading("DESCRIPTION");
    line(roff(String.join(" ", spec.usageMessage().description())));
    arguments();
    options();
    commands();
    Map<String, String> codes = spec.root().usageMessage().exitCodeList();
    heading("EXIT STATUS");
    codes.forEach((code, meaning) -> item("\\fB" + roff(code) + "\\fR", meaning));
    footer();
    references();
    return out.toString();
  }

  private void arguments() {
    List<PositionalParamSpec> shown =
        spec.positionalParameters().stream().filter(p -> !p.hidden()).toList();
    if (!shown.isEmpty()) {
      heading("ARGUMENTS");
      shown.forEach(
          p -> item("\\fI" + roff(p.paramLabel()) + "\\fR", String.join(" ", p.description())));
    }
  }

  private void options() {
    heading("OPTIONS");
    for (OptionSpec option : spec.options()) {
      if (option.hidden()) {
        continue;
      }
      List<String> names = new ArrayList<>();
      for (String name : option.names()) {
        names.add("\\fB" + roff(name) + "\\fR");
      }
      String label =
          option.arity().max() == 0 ? "" : "=\\fI" + roff(option.paramLabel()) + "\\fR";
      item(String.join(", ", names) + label, String.join(" ", option.description()));
    }
  }

  private void commands() {
    if (!spec.subcommands().isEmpty()) {
      heading("COMMANDS");
      below().forEach(sub -> item("\\fB" + roff(sub.name()) + "\\fR", summary(sub)));
    }
  }

  private void footer() {
    String[] lines = spec.usageMessage().footer();
    if (lines.length > 0) {
      heading("NOTES");
      line(".nf");
      for (int i = lines[0].isEmpty() ? 1 : 0; i < lines.length; i++) {
        line(lines[i].isEmpty() ? ".sp" : roff(lines[i]));
      }
      line(".fi");
    }
  }

  private void references() {
    List<String> others = new ArrayList<>();
    if (spec.parent() != null) {
      others.add(name(spec.parent()));
    }
    below().forEach(sub -> others.add(name(sub)));
    heading("SEE ALSO");
    line(
        String.join(
            ",\n", others.stream().map(name -> "\\fB" + roff(name) + "\\fR(1)").toList()));
  }

  private List<CommandSpec> below() {
    return spec.subcommands().values().stream()
        .map(CommandLine::getCommandSpec)
        .distinct()
        .sorted(Comparator.comparing(CommandSpec::name))
        .toList();
  }

  private static String summary(CommandSpec spec) {
    String[] lines = spec.usageMessage().description();
    String first = lines.length == 0 ? "" : lines[0];
    return first.endsWith(".") ? first.substring(0, first.length() - 1) : first;
  }

  private void heading(String title) {
    line(".SH " + title);
  }

  private void item(String tag, String text) {
    line(".TP");
    line(tag);
    line(text.isEmpty() ? "\\&" : roff(text));
  }

  private void line(String text) {
    out.append(text).append('\n');
  }

  /// Text that roff takes for nothing else.
  private static String roff(String text) {
    String escaped =
        text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq");
    return escaped.startsWith(".") ? "\\&" + escaped : escaped;
  }
}
