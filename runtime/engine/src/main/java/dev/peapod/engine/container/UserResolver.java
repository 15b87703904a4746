package dev.peapod.engine.container;

import dev.peapod.engine.model.SecuritySpec;
import dev.peapod.engine.model.UserIds;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Finds the numbers of a container's user from the request, the image and the image's own passwd
/// and group files.
final class UserResolver {
  /// A resolved user.
  ///
  /// @param home the home directory that the passwd file names, `/` where it names none
  record Resolved(UserIds ids, String home) {}

  private record PasswdEntry(String name, long uid, long gid, String home) {}

  private record GroupEntry(String name, long gid, List<String> members) {}

  private static final int MAX_FILE = 1 << 20;
  private static final long MAX_ID = 0x7fffffffL;

  private final String container;
  private final RootFiles files;

  /// @param container the container's name, for error texts
  UserResolver(String container, RootFiles files) {
    this.container = container;
    this.files = files;
  }

  /// @param imageUser the image's user: empty, `name`, `uid`, `uid:gid`, `name:group`...
  /// @throws PeapodException INVALID if a user or group is not known or out of range
  Resolved resolve(SecuritySpec security, String imageUser) {
    String user = imageUser;
    String group = "";
    int colon = imageUser.indexOf(':');
    if (colon >= 0) {
      user = imageUser.substring(0, colon);
      group = imageUser.substring(colon + 1);
    }
    if (security.runAsUser() != null) {
      user = Long.toString(requireId("run_as_user", security.runAsUser()));
      group = "";
    } else if (!security.runAsUsername().isEmpty()) {
      user = security.runAsUsername();
      group = "";
    } else if (security.runAsGroup() != null) {
      throw PeapodException.invalid(
          "container \"" + container + "\": run_as_group needs run_as_user or run_as_username");
    }
    if (user.isEmpty()) {
      user = "0";
    }
    List<PasswdEntry> passwd = passwd();
    Optional<PasswdEntry> entry = Optional.empty();
    for (PasswdEntry e : passwd) {
      if (e.name().equals(user)) {
        entry = Optional.of(e);
        break;
      }
    }
    long uid;
    if (entry.isPresent()) {
      uid = entry.get().uid();
    } else if (isNumber(user)) {
      uid = parseId("user", user);
      entry = passwd.stream().filter(e -> e.uid() == uid).findFirst();
    } else {
      throw PeapodException.invalid(
          "container \""
              + container
              + "\": user \""
              + user
              + "\" is not in the image's /etc/passwd");
    }
    long gid = entry.map(PasswdEntry::gid).orElse(0L);
    List<GroupEntry> groups = List.of();
    boolean needGroups =
        (!group.isEmpty() && !isNumber(group)) || (entry.isPresent() && !security.strictGroups());
    if (needGroups) {
      groups = groups();
    }
    if (security.runAsGroup() != null) {
      gid = requireId("run_as_group", security.runAsGroup());
    } else if (!group.isEmpty()) {
      gid = gidOf(group, groups);
    }
    Set<Long> supplemental = new LinkedHashSet<>();
    supplemental.add(gid);
    for (long id : security.supplementalGroups()) {
      supplemental.add(requireId("supplemental_groups", id));
    }
    if (!security.strictGroups() && entry.isPresent()) {
      for (GroupEntry g : groups) {
        if (g.members().contains(entry.get().name())) {
          supplemental.add(g.gid());
        }
      }
    }
    String home = entry.map(PasswdEntry::home).filter(h -> h.startsWith("/")).orElse("/");
    return new Resolved(new UserIds(uid, gid, List.copyOf(supplemental)), home);
  }

  private long gidOf(String group, List<GroupEntry> groups) {
    for (GroupEntry g : groups) {
      if (g.name().equals(group)) {
        return g.gid();
      }
    }
    if (isNumber(group)) {
      return parseId("group", group);
    }
    throw PeapodException.invalid(
        "container \""
            + container
            + "\": group \""
            + group
            + "\" is not in the image's /etc/group");
  }

  private List<PasswdEntry> passwd() {
    List<PasswdEntry> entries = new ArrayList<>();
    for (String[] f : lines("/etc/passwd", 7)) {
      if (f.length >= 4 && isNumber(f[2]) && isNumber(f[3])) {
        String home = f.length > 5 ? f[5] : "";
        boolean clean = home.chars().allMatch(c -> c >= ' ' && c != 0x7f);
        idOf(f[2])
            .ifPresent(
                uid ->
                    idOf(f[3])
                        .ifPresent(
                            gid ->
                                entries.add(new PasswdEntry(f[0], uid, gid, clean ? home : ""))));
      }
    }
    return entries;
  }

  private List<GroupEntry> groups() {
    List<GroupEntry> entries = new ArrayList<>();
    for (String[] f : lines("/etc/group", 4)) {
      if (f.length >= 3 && isNumber(f[2])) {
        List<String> members = f.length > 3 ? List.of(f[3].split(",")) : List.of();
        idOf(f[2]).ifPresent(gid -> entries.add(new GroupEntry(f[0], gid, members)));
      }
    }
    return entries;
  }

  private List<String[]> lines(String path, int fields) {
    Optional<byte[]> content;
    try {
      content = files.read(path, MAX_FILE);
    } catch (KernelException | PeapodException e) {
      throw PeapodException.invalid(
          "container \""
              + container
              + "\": the image's "
              + path
              + " can not be read: "
              + e.getMessage());
    }
    List<String[]> lines = new ArrayList<>();
    if (content.isPresent()) {
      for (String line : new String(content.get(), StandardCharsets.UTF_8).split("\n")) {
        if (!line.isBlank() && line.charAt(0) != '#') {
          lines.add(line.split(":", fields));
        }
      }
    }
    return lines;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static Optional<Long> idOf(String digits) {
    if (digits.length() > 10) {
      return Optional.empty();
    }
    long id = Long.parseLong(digits);
    return id <= MAX_ID ? Optional.of(id) : Optional.empty();
  }

  private long parseId(String what, String digits) {
    return idOf(digits).orElseThrow(() -> outOfRange(what, digits));
  }

  private long requireId(String field, long id) {
    if (id < 0 || id > MAX_ID) {
      throw outOfRange(field, Long.toString(id));
    }
    return id;
  }

  private PeapodException outOfRange(String what, String id) {
    return PeapodException.invalid(
        "container \"" + container + "\": " + what + " " + id + " is not between 0 and " + MAX_ID);
  }
}
