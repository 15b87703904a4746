package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeletedObject;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.StoredObject;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// ConfigMaps, Secrets, Deployments and the like: what verbs do with them. The daemon knows the
/// kinds; here they are words.
final class Documents {
  private final Daemon daemon;
  private final String namespace;
  private final String labels;

  /// @param namespace empty: all
  /// @param labels a selector, or empty
  Documents(Daemon daemon, String namespace, String labels) {
    this.daemon = daemon;
    this.namespace = namespace;
    this.labels = labels;
  }

  private ObjectSelector selector(String kind, String name) {
    return ObjectSelector.newBuilder()
        .setKind(kind)
        .setNamespace(namespace)
        .setName(name)
        .setLabels(labels)
        .build();
  }

  /// The documents of a group.
  ListObjectsResponse list(Names.Group group, PodView view) {
    return list(group, view, "");
  }

  /// The same by a template, whose text for all of them is the answer's where none are named.
  ListObjectsResponse list(Names.Group group, PodView view, String template) {
    List<String> names = group.names().isEmpty() ? List.of("") : group.names();
    ListObjectsResponse.Builder all = ListObjectsResponse.newBuilder();
    for (String name : names) {
      ListObjectsResponse some =
          daemon
              .pods()
              .listObjects(
                  ListObjectsRequest.newBuilder()
                      .setSelector(selector(group.kind(), name))
                      .setView(view)
                      .setTemplate(template)
                      .build());
      all.setKind(some.getKind())
          .clearColumns()
          .addAllColumns(some.getColumnsList())
          .clearWideColumns()
          .addAllWideColumns(some.getWideColumnsList())
          .addAllObjects(some.getObjectsList())
          .setText(some.getText());
    }
    return all.build();
  }

  /// Prints a table of them.
  ///
  /// @param kinds whether names are to say of what kind they are
  void table(ListObjectsResponse found, boolean wide, boolean headers, boolean kinds) {
    Table table = table(found.getColumnsList(), wide ? found.getWideColumnsList() : List.of());
    for (StoredObject object : found.getObjectsList()) {
      table.row(row(object, kinds ? found.getKind() + "/" : "", wide));
    }
    if (table.isEmpty()) {
      System.err.println(
          namespace.isEmpty()
              ? "No resources found."
              : "No resources found in namespace " + namespace + ".");
    } else {
      table.print(headers, Screen.colours());
    }
  }

  private Table table(List<String> columns, List<String> wideColumns) {
    List<String> titles = new ArrayList<>();
    if (namespace.isEmpty()) {
      titles.add("NAMESPACE");
    }
    titles.add("NAME");
    titles.addAll(columns);
    titles.add("AGE");
    titles.addAll(wideColumns);
    return new Table(titles.toArray(String[]::new));
  }

  private List<String> row(StoredObject object, String before, boolean wide) {
    List<String> row = new ArrayList<>();
    if (namespace.isEmpty()) {
      row.add(object.getNamespace());
    }
    row.add(before + object.getName());
    row.addAll(object.getCellsList());
    row.add(Texts.age(object.getCreatedNs()));
    if (wide) {
      row.addAll(object.getWideCellsList());
    }
    return row;
  }

  /// What a change of a document comes to; whether it has been waited for.
  interface Observer {
    boolean see(ObjectChange change);
  }

  /// Watches documents of a kind until the observer has seen enough.
  ///
  /// @param name empty: all
  void watch(String kind, String name, PodView view, Duration patience, Observer observer) {
    watch(kind, name, view, "", patience, observer);
  }

  /// The same with what a template makes of each.
  void watch(
      String kind,
      String name,
      PodView view,
      String template,
      Duration patience,
      Observer observer) {
    Iterator<ObjectChange> changes =
        daemon
            .pods()
            .withDeadlineAfter(Math.max(1, patience.toMillis()), TimeUnit.MILLISECONDS)
            .watchObjects(
                ListObjectsRequest.newBuilder()
                    .setSelector(selector(kind, name))
                    .setView(view)
                    .setTemplate(template)
                    .build());
    try {
      while (changes.hasNext()) {
        if (observer.see(changes.next())) {
          return;
        }
      }
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
        throw new Failure("timed out waiting for " + kind + (name.isEmpty() ? "" : "/" + name));
      }
      throw e;
    }
  }

  /// Prints the documents of a group and then what changes, without end; the text of each where
  /// there is one.
  void follow(Names.Group group, PodView view, boolean wide, boolean headers) {
    if (group.names().size() > 1) {
      throw new Failure("only one or all of them can be watched", Main.USAGE);
    }
    String name = group.names().isEmpty() ? "" : group.names().getFirst();
    List<Table> printed = new ArrayList<>();
    Map<String, List<String>> shown = new HashMap<>();
    List<ObjectChange> first = new ArrayList<>();
    watch(
        group.kind(),
        name,
        view,
        Duration.ofDays(365),
        change -> {
          if (!change.hasObject() && printed.isEmpty()) {
            Table table =
                table(change.getColumnsList(), wide ? change.getWideColumnsList() : List.of());
            first.forEach(c -> table.row(row(c.getObject(), "", wide)));
            printed.add(table);
            if (view == PodView.POD_VIEW_SUMMARY && !table.isEmpty()) {
              table.print(headers, Screen.colours());
            }
          } else if (change.hasObject()) {
            List<String> row = row(change.getObject(), "", wide);
            boolean news = !row.equals(shown.put(change.getObject().getUid(), row));
            if (view != PodView.POD_VIEW_SUMMARY) {
              String separator = view == PodView.POD_VIEW_YAML ? "---\n" : "";
              System.out.print(separator + change.getObject().getText());
            } else if (printed.isEmpty()) {
              first.add(change);
            } else if (news) {
              Table line =
                  table(change.getColumnsList(), wide ? change.getWideColumnsList() : List.of());
              line.alignedWith(printed.getLast()).row(row);
              line.print(headers && printed.getLast().isEmpty(), Screen.colours());
              printed.add(line);
              printed.removeFirst();
            }
          }
          System.out.flush();
          return false;
        });
  }

  /// Deletes what a group names and says so.
  ///
  /// @return an exit code
  ///
  /// @param how whether to wait, and for how long its pods may take
  int delete(Names.Group group, DeleteObjectsRequest how, boolean ignoreNotFound) {
    int code = 0;
    List<String> names = group.names().isEmpty() ? List.of("") : group.names();
    for (String name : names) {
      try {
        DeleteObjectsRequest request =
            how.toBuilder().setSelector(selector(group.kind(), name)).build();
        for (DeletedObject object : daemon.pods().deleteObjects(request).getObjectsList()) {
          System.out.println(deleted(object));
        }
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
          throw e;
        }
        if (!ignoreNotFound) {
          Main.complain(String.valueOf(e.getStatus().getDescription()));
          code = Main.FAILED;
        }
      }
    }
    System.out.flush();
    return code;
  }

  static String deleted(DeletedObject object) {
    return object.getKind() + " \"" + object.getName() + "\" deleted";
  }
}
