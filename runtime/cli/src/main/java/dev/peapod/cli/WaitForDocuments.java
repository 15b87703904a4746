package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.StoredObject;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Waits for workloads and other documents.
final class WaitForDocuments {
  private final Root root;
  private final String namespace;
  private final String labels;
  private final Goal goal;
  private final Set<String> met = new HashSet<>();

  /// @param labels a selector, or empty
  WaitForDocuments(Root root, String namespace, String labels, Goal goal) {
    this.root = root;
    this.namespace = namespace;
    this.labels = labels;
    this.goal = goal;
    if (goal instanceof Goal.Phase) {
      throw new Failure("only pods have phases", Main.USAGE);
    }
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
            goal.view(),
            goal.template(),
            patience,
            change -> {
              see(change, pending);
              seen[0] |= change.hasObject();
              seen[1] |= !change.hasObject();
              if (seen[1] && !seen[0] && goal instanceof Goal.Delete) {
                return true;
              }
              if (seen[1] && !seen[0] && !(goal instanceof Goal.Create)) {
                throw new Failure(kind + (name.isEmpty() ? "" : "/" + name) + " not found");
              }
              return seen[0] && seen[1] && pending.isEmpty();
            });
  }

  private void see(ObjectChange change, Set<String> pending) {
    if (!change.hasObject()) {
      return;
    }
    StoredObject object = change.getObject();
    String shown = change.getKind() + "/" + object.getName();
    boolean gone = change.getType() == PodChange.Type.DELETED;
    if (gone && !(goal instanceof Goal.Delete)) {
      throw new Failure(shown + " was deleted meanwhile");
    }
    boolean done = goal.isMet(gone, "", object.getConditionsList(), object.getText());
    if (!done) {
      pending.add(object.getUid());
      return;
    }
    pending.remove(object.getUid());
    if (met.add(object.getUid())) {
      System.out.println(shown + (gone ? " deleted" : " condition met"));
      System.out.flush();
    }
  }
}
