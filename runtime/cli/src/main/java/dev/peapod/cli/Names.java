package dev.peapod.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads `pods`, `pod NAME...`, `pod/NAME...`, and the same of other kinds (`cm/NAME`).
final class Names {
  private static final Set<String> PODS = Set.of("pod", "pods", "po");

  /// All that can be listed.
  static final List<String> KINDS =
      List.of(
          "pods",
          "services",
          "configmaps",
          "secrets",
          "persistentvolumeclaims",
          "deployments",
          "replicasets",
          "daemonsets",
          "jobs",
          "cronjobs");

  /// What is named of one kind; no names mean all.
  record Group(String kind, List<String> names) {
    boolean isOfPods() {
      return PODS.contains(kind);
    }
  }

  private Names() {}

  /// What is named, by kind.
  static List<Group> groups(List<String> words) {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    String kind = "";
    for (String word : words) {
      int slash = word.indexOf('/');
      if (slash >= 0) {
        kind = word.substring(0, slash);
        groups.computeIfAbsent(kind, k -> new ArrayList<>()).add(word.substring(slash + 1));
      } else if (kind.isEmpty()) {
        for (String one : word.split(",")) {
          kind = one;
          groups.computeIfAbsent(kind, k -> new ArrayList<>());
        }
      } else {
        groups.computeIfAbsent(kind, k -> new ArrayList<>()).add(word);
      }
    }
    return groups.entrySet().stream()
        .map(group -> new Group(group.getKey(), List.copyOf(group.getValue())))
        .toList();
  }

  /// What one name or none means: `NAME` of a pod, `KIND NAME` or `KIND/NAME`.
  static Group group(List<String> words) {
    boolean bare = words.size() == 1 && !words.getFirst().contains("/") && !PODS.contains(words.getFirst());
    List<Group> groups = bare ? List.of(new Group("pod", words)) : groups(words);
    if (groups.size() > 1 || groups.stream().anyMatch(group -> group.names().size() > 1)) {
      throw new Failure("name one, or none for all", Main.USAGE);
    }
    return groups.isEmpty() ? new Group("", List.of()) : groups.getFirst();
  }

  /// The pods' names, where only pods can be meant; none means all of them.
  static List<String> of(List<String> words) {
    List<String> names = new ArrayList<>();
    for (Group group : groups(words)) {
      requirePods(group.kind());
      names.addAll(group.names());
    }
    return names;
  }

  /// A pod's name, with or without `pod/`.
  static String one(String word) {
    int slash = word.indexOf('/');
    if (slash < 0) {
      return word;
    }
    requirePods(word.substring(0, slash));
    return word.substring(slash + 1);
  }

  /// Pods' names where nothing but pods can be meant, so that the word before them may be left out; none means all.
  static List<String> pods(List<String> words) {
    boolean said = !words.isEmpty() && PODS.contains(words.getFirst());
    return words.subList(said ? 1 : 0, words.size()).stream().map(Names::one).toList();
  }

  private static void requirePods(String type) {
    if (!PODS.contains(type)) {
      throw new Failure("\"" + type + "\" are not pods", Main.USAGE);
    }
  }
}
