// Mounts: made detached, attached by descriptor.
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "operations.h"
#include "paths.h"
#include "system.h"

#define ATTACH_NO_LINKS 4

int op_open_tree(struct launch *launch, struct cursor *arguments) {
  int64_t slot = take_int(arguments);
  int64_t dir = take_int(arguments);
  const char *path = take_string(arguments, NULL);
  unsigned flags = OPEN_TREE_CLONE | O_CLOEXEC | (take_int(arguments) != 0 ? AT_RECURSIVE : 0);
  int tree;
  if (dir == -1) {
    tree = sys_open_tree(AT_FDCWD, path, flags);
  } else {
    cleanup_fd owned = -1;
    int root = directory_of(launch, dir, &owned);
    if (root < 0) {
      return root;
    }
    cleanup_fd place = sys_open_beneath(root, path[0] == '\0' ? "." : path, O_PATH, 0);
    if (place < 0) {
      return place;
    }
    tree = sys_open_tree(place, "", flags | AT_EMPTY_PATH);
  }
  if (tree < 0) {
    return tree;
  }
  set_slot(launch, slot, tree);
  return 0;
}

// One `key=value` or `flag` of a file system's configuration.
static int configure(int fs, const char *option) {
  const char *equals = strchr(option, '=');
  if (equals == NULL) {
    return sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL);
  }
  char key[64];
  size_t length = (size_t)(equals - option);
  if (length >= sizeof key) {
    return -EINVAL;
  }
  memcpy(key, option, length);
  key[length] = '\0';
  return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1);
}

int op_mount_new(struct launch *launch, struct cursor *arguments) {
  int64_t slot = take_int(arguments);
  const char *type = take_string(arguments, NULL);
  cleanup_fd fs = sys_fsopen(type);
  if (fs < 0) {
    return fs;
  }
  for (int64_t count = take_int(arguments); count > 0; count--) {
    int configured = configure(fs, take_string(arguments, NULL));
    if (configured < 0) {
      return configured;
    }
  }
  int created = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
  int mount = created < 0 ? created : sys_fsmount(fs, (unsigned)take_int(arguments));
  if (mount < 0) {
    return mount;
  }
  set_slot(launch, slot, mount);
  return 0;
}

int op_mount_setattr(struct launch *launch, struct cursor *arguments) {
  int mount = slot_of(launch, take_int(arguments));
  struct mount_attr attributes = {0};
  attributes.attr_set = (uint64_t)take_int(arguments);
  attributes.attr_clr = (uint64_t)take_int(arguments);
  attributes.propagation = (uint64_t)take_int(arguments);
  bool recursive = take_int(arguments) != 0;
  int64_t user_slot = take_int(arguments);
  if (mount < 0) {
    return mount;
  }
  if (user_slot >= 0) {
    int user = slot_of(launch, user_slot);
    if (user < 0) {
      return user;
    }
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = (uint64_t)user;
  }
  return sys_mount_setattr(mount, recursive, &attributes);
}

int op_label(struct launch *launch, struct cursor *arguments) {
  int mount = slot_of(launch, take_int(arguments));
  size_t length;
  const char *label = take_string(arguments, &length);
  cleanup_fd root = mount < 0 ? mount : sys_open_beneath(mount, ".", O_RDONLY, 0);
  if (root < 0) {
    return root;
  }
  return result(fsetxattr(root, "security.selinux", label, length, 0));
}

int op_root(struct launch *launch, struct cursor *arguments) {
  int mount = slot_of(launch, take_int(arguments));
  if (mount < 0) {
    return mount;
  }
  cleanup_fd place = result(open("/root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  int moved = place < 0 ? place : sys_move_mount(mount, place);
  if (moved < 0) {
    return moved;
  }
  int root = result(fcntl(mount, F_DUPFD_CLOEXEC, 3));
  if (root < 0) {
    return root;
  }
  close_fd(&launch->root);
  launch->root = root;
  return 0;
}

int op_attach(struct launch *launch, struct cursor *arguments) {
  int mount = slot_of(launch, take_int(arguments));
  if (mount < 0) {
    return mount;
  }
  cleanup_fd owned = -1;
  int root = directory_of(launch, take_int(arguments), &owned);
  if (root < 0) {
    return root;
  }
  const char *path = take_string(arguments, NULL);
  int64_t kind = take_int(arguments);
  uint64_t resolve = (kind & ATTACH_NO_LINKS) != 0 ? RESOLVE_NO_SYMLINKS : 0;
  cleanup_fd place = -1;
  switch (kind & ~ATTACH_NO_LINKS) {
    case 0:
      place = sys_open_beneath(root, path, O_PATH, resolve);
      break;
    case 1:
      place = open_or_make(root, path, TARGET_DIRECTORY, 0755, resolve);
      break;
    case 2:
      place = open_or_make(root, path, TARGET_FILE, 0644, resolve);
      break;
    default:
      return -EINVAL;
  }
  return place < 0 ? place : sys_move_mount(mount, place);
}

int op_pivot(struct launch *launch, struct cursor *arguments) {
  (void)arguments;
  if (launch->root < 0) {
    return -EBADF;
  }
  // With "." for both, the old root ends up on top of the new one, where it is taken away.
  if (fchdir(launch->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return -errno;
  }
  close(take_fd(&launch->root));
  launch->pivoted = true;
  return 0;
}
