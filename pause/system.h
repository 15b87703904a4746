// Kernel calls that musl does not wrap. Each answers a value or -errno, never sets errno.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ull
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS 0x04
#define RESOLVE_BENEATH 0x08
#define RESOLVE_IN_ROOT 0x10

#define OPEN_TREE_CLONE 1
#define AT_RECURSIVE 0x8000
#define MOVE_MOUNT_F_EMPTY_PATH 0x04
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOUNT_ATTR_RDONLY 0x01
#define MOUNT_ATTR_NOSUID 0x02
#define MOUNT_ATTR_NODEV 0x04
#define MOUNT_ATTR_NOEXEC 0x08
#define MOUNT_ATTR_IDMAP 0x00100000
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

#define PROC_MAGIC 0x9fa0
#define DEVPTS_MAGIC 0x1cd1

struct open_how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

struct mount_attr {
  uint64_t attr_set;
  uint64_t attr_clr;
  uint64_t propagation;
  uint64_t userns_fd;
};

struct clone_args {
  uint64_t flags;
  uint64_t pidfd;
  uint64_t child_tid;
  uint64_t parent_tid;
  uint64_t exit_signal;
  uint64_t stack;
  uint64_t stack_size;
  uint64_t tls;
  uint64_t set_tid;
  uint64_t set_tid_size;
  uint64_t cgroup;
};

// The result of a libc call as a value or -errno.
static inline int result(long value) {
  return value < 0 ? -errno : (int)value;
}

// A child of this process (or, with CLONE_PARENT, of its parent) that goes on with a copy of its
// memory. `cgroup` is -1 or a cgroup2 directory; `pidfd` may be NULL.
static inline int sys_clone(uint64_t flags, int cgroup, int *pidfd) {
  struct clone_args args = {
      .flags = flags,
      .pidfd = (uint64_t)(uintptr_t)pidfd,
      .exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : 17 /* SIGCHLD */,
  };
  if (pidfd != NULL) {
    args.flags |= CLONE_PIDFD;
  }
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)cgroup;
  }
  return result(syscall(SYS_clone3, &args, sizeof args));
}

// Opens below `root`, which is also what absolute paths and `..` can not leave; tries again where
// the kernel asks for it because something was renamed meanwhile.
static inline int sys_open_beneath(int root, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC,
                         .resolve = resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd = -EAGAIN;
  for (int attempt = 0; attempt < 128 && (fd == -EAGAIN || fd == -EINTR); attempt++) {
    fd = result(syscall(SYS_openat2, root, path, &how, sizeof how));
  }
  return fd;
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
  return result(syscall(SYS_open_tree, dir, path, flags));
}

// Attaches the mount `from` on top of what `to` names.
static inline int sys_move_mount(int from, int to) {
  return result(syscall(SYS_move_mount, from, "", to, "",
                        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int sys_fsopen(const char *type) {
  return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const char *value) {
  return result(syscall(SYS_fsconfig, fs, command, key, value, 0));
}

static inline int sys_fsmount(int fs, unsigned attributes) {
  return result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
}

static inline int sys_mount_setattr(int mount, bool recursive, struct mount_attr *attributes) {
  return result(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
                        attributes, sizeof *attributes));
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
  return result(syscall(SYS_close_range, first, last, flags));
}

static inline int sys_pidfd_open(pid_t pid) {
  return result(syscall(SYS_pidfd_open, pid, 0));
}

static inline int sys_pidfd_kill(int pidfd, int signal) {
  return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

static inline void close_fd(const int *fd) {
  if (*fd >= 0) {
    close(*fd);
  }
}

// A descriptor that is closed where the variable goes out of scope.
#define cleanup_fd __attribute__((cleanup(close_fd))) int

// Hands a descriptor on to somebody else.
static inline int take_fd(int *fd) {
  int value = *fd;
  *fd = -1;
  return value;
}
