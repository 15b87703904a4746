// Files, directories and device nodes; cgroup membership.
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "operations.h"
#include "paths.h"
#include "system.h"

static int write_once(const char *path, const void *data, size_t length) {
  cleanup_fd fd = result(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (fd < 0) {
    return fd;
  }
  ssize_t written = write(fd, data, length);
  if (written < 0) {
    return -errno;
  }
  return (size_t)written == length ? 0 : -EIO;
}

int op_cgroup_enter(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  return write_once(take_string(arguments, NULL), "0", 1);
}

int op_write(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  const char *path = take_string(arguments, NULL);
  size_t length;
  const char *data = take_string(arguments, &length);
  bool optional = take_int(arguments) == 1;
  int written = write_once(path, data, length);
  return optional && (written == -EPERM || written == -EACCES) ? 0 : written;
}

int op_open(struct launch *launch, struct cursor *arguments) {
  int64_t slot = take_int(arguments);
  const char *path = take_string(arguments, NULL);
  int flags = (int)take_int(arguments);
  int64_t kind = take_int(arguments);
  cleanup_fd fd = result(open(path, flags | O_CLOEXEC | O_NOCTTY, 0644));
  struct stat status;
  if (fd < 0) {
    return fd;
  }
  if (kind != 0) {
    if (fstat(fd, &status) != 0) {
      return -errno;
    }
    if (kind == 1 && !S_ISDIR(status.st_mode)) {
      return -ENOTDIR;
    }
    if (kind == 2 && S_ISDIR(status.st_mode)) {
      return -EISDIR;
    }
  }
  set_slot(launch, slot, take_fd(&fd));
  return 0;
}

int op_mkdir(struct launch *launch, struct cursor *arguments) {
  cleanup_fd owned = -1;
  int root = directory_of(launch, take_int(arguments), &owned);
  if (root < 0) {
    return root;
  }
  const char *path = take_string(arguments, NULL);
  mode_t mode = (mode_t)take_int(arguments) & 07777;
  cleanup_fd made = open_or_make(root, path, TARGET_DIRECTORY, mode, 0);
  return made < 0 ? made : 0;
}

int op_mknod(struct launch *launch, struct cursor *arguments) {
  cleanup_fd owned = -1;
  int root = directory_of(launch, take_int(arguments), &owned);
  if (root < 0) {
    return root;
  }
  const char *path = take_string(arguments, NULL);
  mode_t mode = (mode_t)take_int(arguments);
  dev_t device = (dev_t)take_int(arguments);
  uid_t uid = (uid_t)take_int(arguments);
  gid_t gid = (gid_t)take_int(arguments);
  char last[NAME_MAX + 1];
  cleanup_fd parent = open_parent(root, path, last);
  if (parent < 0) {
    return parent;
  }
  int made = result(mknodat(parent, last, mode, device));
  if (made == 0 && (uid != 0 || gid != 0)) {
    made = result(fchownat(parent, last, uid, gid, AT_SYMLINK_NOFOLLOW));
  }
  return made;
}

int op_symlink(struct launch *launch, struct cursor *arguments) {
  cleanup_fd owned = -1;
  int root = directory_of(launch, take_int(arguments), &owned);
  if (root < 0) {
    return root;
  }
  const char *path = take_string(arguments, NULL);
  const char *target = take_string(arguments, NULL);
  char last[NAME_MAX + 1];
  cleanup_fd parent = open_parent(root, path, last);
  return parent < 0 ? parent : result(symlinkat(target, parent, last));
}
