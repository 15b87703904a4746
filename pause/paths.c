#include "paths.h"

#include <string.h>
#include <sys/stat.h>

#include "system.h"

#define MAX_DEPTH 200

int slot_of(const struct launch *launch, int64_t slot) {
  return launch->slots[slot] >= 0 ? launch->slots[slot] : -EBADF;
}

void set_slot(struct launch *launch, int64_t slot, int fd) {
  close_fd(&launch->slots[slot]);
  launch->slots[slot] = fd;
}

int directory_of(const struct launch *launch, int64_t dir, int *owned) {
  if (dir >= 0) {
    return slot_of(launch, dir);
  }
  if (dir == -2 && !launch->pivoted) {
    return launch->root >= 0 ? launch->root : -EBADF;
  }
  int fd = result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  *owned = fd;
  return fd;
}

// Splits into the parent's length and the last component; false if there is no last component.
static bool split(const char *path, size_t *parent, const char **last, size_t *last_length) {
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') {
    end--;
  }
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') {
    start--;
  }
  *parent = start;
  *last = path + start;
  *last_length = end - start;
  return start != end;
}

static int open_start(int root) {
  return sys_open_beneath(root, ".", O_PATH | O_DIRECTORY, 0);
}

static int make(int root, const char *path, enum target target, mode_t mode, uint64_t resolve,
                int depth);

// Goes on where the link `last` in `parent` points, though nothing is there yet.
static int make_behind_link(int root, int parent, const char *path, size_t parent_length,
                            const char *last, enum target target, mode_t mode, uint64_t resolve,
                            int depth) {
  char next[PATH_MAX];
  char link[PATH_MAX];
  ssize_t length = readlinkat(parent, last, link, sizeof link);
  if (length <= 0 || length == sizeof link) {
    return length < 0 && errno == EINVAL ? -EEXIST : -ELOOP;
  }
  size_t base = link[0] == '/' ? 0 : parent_length;
  if (base + (size_t)length >= sizeof next) {
    return -ENAMETOOLONG;
  }
  memcpy(next, path, base);
  memcpy(next + base, link, (size_t)length);
  next[base + (size_t)length] = '\0';
  return make(root, next, target, mode, resolve, depth - 1);
}

static int make(int root, const char *path, enum target target, mode_t mode, uint64_t resolve,
                int depth) {
  uint64_t flags = O_PATH | (target == TARGET_DIRECTORY ? O_DIRECTORY : 0);
  int fd = sys_open_beneath(root, path, flags, resolve);
  if (fd != -ENOENT) {
    return fd;
  }
  if (depth <= 0) {
    return -ELOOP;
  }
  size_t parent_length;
  size_t last_length;
  const char *start;
  char last[NAME_MAX + 1];
  if (!split(path, &parent_length, &start, &last_length)) {
    return -ENOENT;
  }
  if (last_length > NAME_MAX || parent_length >= PATH_MAX) {
    return -ENAMETOOLONG;
  }
  memcpy(last, start, last_length);
  last[last_length] = '\0';
  char parent_path[PATH_MAX];
  memcpy(parent_path, path, parent_length);
  parent_path[parent_length] = '\0';
  cleanup_fd parent = parent_length == 0 ? open_start(root)
                                         : make(root, parent_path, TARGET_DIRECTORY, 0755, resolve,
                                                depth - 1);
  if (parent < 0) {
    return parent;
  }
  int made;
  if (target == TARGET_DIRECTORY) {
    made = result(mkdirat(parent, last, mode));
  } else {
    made = result(openat(parent, last, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, mode));
    if (made >= 0) {
      close(made);
    }
  }
  if (made == -EEXIST && (resolve & RESOLVE_NO_SYMLINKS) == 0) {
    int behind = make_behind_link(root, parent, path, parent_length, last, target, mode, resolve,
                                  depth);
    if (behind != -EEXIST) {
      return behind;
    }
  } else if (made < 0 && made != -EEXIST) {
    return made;
  }
  return sys_open_beneath(root, path, flags, resolve);
}

int open_or_make(int root, const char *path, enum target target, mode_t mode, uint64_t resolve) {
  return make(root, path, target, mode, resolve, MAX_DEPTH);
}

int open_parent(int root, const char *path, char last[NAME_MAX + 1]) {
  size_t parent_length;
  size_t last_length;
  const char *start;
  if (!split(path, &parent_length, &start, &last_length)) {
    return -EINVAL;
  }
  if (last_length > NAME_MAX || parent_length >= PATH_MAX) {
    return -ENAMETOOLONG;
  }
  memcpy(last, start, last_length);
  last[last_length] = '\0';
  if (parent_length == 0) {
    return open_start(root);
  }
  char parent[PATH_MAX];
  memcpy(parent, path, parent_length);
  parent[parent_length] = '\0';
  return sys_open_beneath(root, parent, O_PATH | O_DIRECTORY, 0);
}
