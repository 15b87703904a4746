// procfs, what hides or protects parts of it, and what is written through it.
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "operations.h"
#include "paths.h"
#include "system.h"
#include "text.h"

static int open_slash(void) {
  return result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// A detached mount of a new file system without options.
static int new_mount(const char *type, unsigned attributes) {
  cleanup_fd fs = sys_fsopen(type);
  if (fs < 0) {
    return fs;
  }
  int created = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
  return created < 0 ? created : sys_fsmount(fs, attributes);
}

int op_null_device(struct launch *launch, struct cursor *arguments) {
  int mount = slot_of(launch, take_int(arguments));
  if (mount < 0) {
    return mount;
  }
  // What is at /dev/null may come from elsewhere, where the request mounts a /dev of its own.
  struct stat status;
  if (fstat(mount, &status) != 0) {
    return -errno;
  }
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
    return -ENODEV;
  }
  // Read-only, so that nobody changes owner or mode of the device through a masked file.
  struct mount_attr attributes = {.attr_set =
                                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
  int set = sys_mount_setattr(mount, false, &attributes);
  if (set < 0) {
    return set;
  }
  launch->null_mount = mount;
  return 0;
}

int op_mount_proc(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  cleanup_fd slash = open_slash();
  cleanup_fd mount = new_mount("proc", (unsigned)take_int(arguments));
  if (slash < 0 || mount < 0) {
    return slash < 0 ? slash : mount;
  }
  cleanup_fd place = open_or_make(slash, "proc", TARGET_DIRECTORY, 0755, RESOLVE_NO_SYMLINKS);
  int moved = place < 0 ? place : sys_move_mount(mount, place);
  if (moved < 0) {
    return moved;
  }
  cleanup_fd seen = sys_open_beneath(slash, "proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  struct stat expected;
  struct stat found;
  struct statfs fs;
  if (seen < 0) {
    return seen;
  }
  if (fstatfs(seen, &fs) != 0 || fstat(seen, &found) != 0 || fstat(mount, &expected) != 0) {
    return -errno;
  }
  bool same = found.st_dev == expected.st_dev && found.st_ino == expected.st_ino;
  return fs.f_type == PROC_MAGIC && same ? 0 : -EXDEV;
}

// Another bind of an attached mount, or the mount itself while it is still detached: kernels before
// 6.15 clone only what is attached.
static int another(int mount) {
  int clone = sys_open_tree(mount, "", OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
  return clone == -EINVAL ? result(fcntl(mount, F_DUPFD_CLOEXEC, 3)) : clone;
}

int op_mask(struct launch *launch, struct cursor *arguments) {
  cleanup_fd slash = open_slash();
  cleanup_fd place = slash < 0 ? slash : sys_open_beneath(slash, take_string(arguments, NULL),
                                                          O_PATH, 0);
  if (place < 0) {
    return place == -ENOENT || place == -ENOTDIR ? 0 : place;
  }
  struct stat status;
  if (fstat(place, &status) != 0) {
    return -errno;
  }
  if (!S_ISDIR(status.st_mode)) {
    if (launch->null_mount < 0) {
      return -EBADF;
    }
    cleanup_fd cover = another(launch->null_mount);
    return cover < 0 ? cover : sys_move_mount(cover, place);
  }
  if (launch->empty_mount < 0) {
    launch->empty_mount = new_mount("tmpfs", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                 MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (launch->empty_mount < 0) {
      return launch->empty_mount;
    }
  }
  cleanup_fd cover = another(launch->empty_mount);
  return cover < 0 ? cover : sys_move_mount(cover, place);
}

int op_readonly(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  cleanup_fd slash = open_slash();
  cleanup_fd place = slash < 0 ? slash : sys_open_beneath(slash, take_string(arguments, NULL),
                                                          O_PATH, 0);
  if (place < 0) {
    return place == -ENOENT || place == -ENOTDIR ? 0 : place;
  }
  cleanup_fd cover = sys_open_tree(place, "", OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH |
                                                  AT_RECURSIVE);
  if (cover < 0) {
    return cover;
  }
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  int set = sys_mount_setattr(cover, true, &attributes);
  return set < 0 ? set : sys_move_mount(cover, place);
}

// A procfs of our own that nobody can mount over, so that what is written to it goes to the kernel.
static int own_procfs(struct launch *launch) {
  if (launch->procfs < 0) {
    launch->procfs = new_mount("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (launch->procfs == -EPERM) {
      // In a user namespace a new one takes one that is visible already. The settings that any
      // procfs shows are those of the process's own namespaces.
      launch->procfs = result(fcntl(launch->proc, F_DUPFD_CLOEXEC, 3));
    }
  }
  return launch->procfs;
}

static int write_below(int procfs, const char *path, const char *text, size_t length) {
  if (strstr(path, "/../") != NULL || strstr(path, "/./") != NULL) {
    return -EINVAL;
  }
  cleanup_fd file = sys_open_beneath(procfs, path, O_WRONLY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
  if (file < 0) {
    return file;
  }
  ssize_t written = write(file, text, length);
  return written < 0 ? -errno : (size_t)written == length ? 0 : -EINVAL;
}

int op_exec_label(struct launch *launch, struct cursor *arguments) {
  const char *attribute = take_string(arguments, NULL);
  size_t length;
  const char *label = take_string(arguments, &length);
  int procfs = own_procfs(launch);
  char path[128];
  if (procfs < 0 || strlen(attribute) > sizeof path - 32) {
    return procfs < 0 ? procfs : -EINVAL;
  }
  char *end = put_text(put_number(path, (uint64_t)getpid()), "/attr/");
  strcpy(end, attribute);
  return write_below(procfs, path, label, length);
}

int op_sysctl(struct launch *launch, struct cursor *arguments) {
  const char *name = take_string(arguments, NULL);
  size_t length;
  const char *value = take_string(arguments, &length);
  char path[256] = "sys/";
  if (strlen(name) + 5 > sizeof path || name[0] == '\0') {
    return -EINVAL;
  }
  bool dotted = strchr(name, '/') == NULL;
  char *at = path + 4;
  for (; *name != '\0'; name++) {
    *at++ = dotted && *name == '.' ? '/' : *name;
  }
  *at = '\0';
  int procfs = own_procfs(launch);
  if (procfs < 0) {
    return procfs;
  }
  int written = write_below(procfs, path, value, length);
  if (written == -EACCES && geteuid() != 0 && syscall(SYS_setresuid, -1, 0, -1) == 0) {
    // Newer kernels leave some settings to the user namespace's root, older ones to the host's.
    written = write_below(procfs, path, value, length);
  }
  return written;
}
