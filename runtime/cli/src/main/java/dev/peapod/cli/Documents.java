package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeletedObject;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.StoredObject;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;

/// ConfigMaps, Secrets and PersistentVolumeClaims: what verbs do with them. The daemon knows the
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
          .addAllObjects(some.getObjectsList())
          .setText(some.getText());
    }
    return all.build();
  }

  /// Prints a table of them.
  void table(ListObjectsResponse found, boolean headers) {
    List<String> titles = new ArrayList<>();
    if (namespace.isEmpty()) {
      titles.add("NAMESPACE");
    }
    titles.add("NAME");
    titles.addAll(found.getColumnsList());
    titles.add("AGE");
    Table table = new Table(titles.toArray(String[]::new));
    for (StoredObject object : found.getObjectsList()) {
      List<String> row = new ArrayList<>();
      if (namespace.isEmpty()) {
        row.add(object.getNamespace());
      }
      row.add(object.getName());
      row.addAll(object.getCellsList());
      row.add(Texts.age(object.getCreatedNs()));
      table.row(row);
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

  /// Deletes what a group names and says so.
  ///
  /// @return an exit code
  int delete(Names.Group group, boolean ignoreNotFound) {
    int code = 0;
    List<String> names = group.names().isEmpty() ? List.of("") : group.names();
    for (String name : names) {
      try {
        DeleteObjectsRequest request =
            DeleteObjectsRequest.newBuilder().setSelector(selector(group.kind(), name)).build();
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
