package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.StoredObject;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Waits for workloads and other documents: `condition=Available`, `condition=Complete`, `delete`.
final class WaitForDocuments {
  private final Root root;
  private final String namespace;
  private final String labels;
  private final String what;
  private final String condition;
  private final String status;
  private final Set<String> met = new HashSet<>();

  /// @param labels a selector, or empty
  /// @param what `condition=NAME[=STATUS]` or `delete`
  WaitForDocuments(Root root, String namespace, String labels, String what) {
    this.root = root;
    this.namespace = namespace;
    this.labels = labels;
    this.what = what;
    String[] parts = what.split("=", -1);
    boolean isCondition = parts[0].equals("condition") && (parts.length == 2 || parts.length == 3);
    if (!isCondition && !what.equals("delete")) {
      throw new Failure(
          "--for must be condition=NAME[=STATUS] or delete here, not \"" + what + "\"", Main.USAGE);
    }
    this.condition = isCondition ? parts[1] : "";
    this.status = parts.length == 3 ? parts[2] : "True";
  }

  int run(List<Names.Group> groups, Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    for (Names.Group group : groups) {
      if (group.isOfPods()) {
        throw new Failure("wait for pods by themselves", Main.USAGE);
      }
      if (group.names().isEmpty() && labels.isEmpty()) {
        throw new Failure("name what to wait for, or use -l", Main.USAGE);
      }
    }
    try (Daemon daemon = new Daemon(root)) {
      for (Names.Group group : groups) {
        for (String name : group.names().isEmpty() ? List.of("") : group.names()) {
          wait(daemon, group.kind(), name, Duration.ofNanos(end - System.nanoTime()));
        }
      }
    }
    return 0;
  }

  private void wait(Daemon daemon, String kind, String name, Duration patience) {
    Set<String> pending = new HashSet<>();
    boolean[] seen = {false, false};
    new Documents(daemon, namespace, labels)
        .watch(
            kind,
            name,
            PodView.POD_VIEW_SUMMARY,
            patience,
            change -> {
              see(change, pending);
              seen[0] |= change.hasObject();
              seen[1] |= !change.hasObject();
              if (seen[1] && !seen[0] && condition.isEmpty()) {
                return true;
              }
              if (seen[1] && !seen[0]) {
                throw new Failure(kind + (name.isEmpty() ? "" : "/" + name) + " not found");
              }
              return seen[1] && pending.isEmpty();
            });
  }

  private void see(ObjectChange change, Set<String> pending) {
    if (!change.hasObject()) {
      return;
    }
    StoredObject object = change.getObject();
    String shown = change.getKind() + "/" + object.getName();
    boolean gone = change.getType() == PodChange.Type.DELETED;
    if (gone && !condition.isEmpty()) {
      throw new Failure(shown + " was deleted meanwhile");
    }
    boolean done = condition.isEmpty() ? gone : isMet(object);
    if (!done) {
      pending.add(object.getUid());
      return;
    }
    pending.remove(object.getUid());
    if (met.add(object.getUid())) {
      System.out.println(shown + (what.equals("delete") ? " deleted" : " condition met"));
      System.out.flush();
    }
  }

  private boolean isMet(StoredObject object) {
    return object.getConditionsList().stream()
        .anyMatch(
            c ->
                c.getType().equalsIgnoreCase(condition)
                    && c.getStatus()
                        .toLowerCase(Locale.ROOT)
                        .equals(status.toLowerCase(Locale.ROOT)));
  }
}
