// Namespaces.
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "operations.h"
#include "paths.h"
#include "system.h"
#include "text.h"

#define BORN_WITH                                                                           \
  (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP | \
   CLONE_NEWTIME)

int op_namespaces(struct launch *launch, struct cursor *arguments) {
  int64_t flags = take_int(arguments);
  if ((flags & ~(int64_t)BORN_WITH) != 0) {
    return -EINVAL;
  }
  launch->namespaces = (uint64_t)flags;
  return 0;
}

int op_setns(struct launch *launch, struct cursor *arguments) {
  int64_t slot = take_int(arguments);
  int flags = (int)take_int(arguments);
  int fd = slot == -1 ? launch->template : slot_of(launch, slot);
  if (fd < 0) {
    return fd;
  }
  return result(setns(fd, slot == -1 ? CLONE_NEWNS : flags));
}

int op_unshare(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  return result(unshare((int)take_int(arguments)));
}

// Writes the map `name` of the process that `directory` of a procfs is about.
static int write_map(int directory, const char *name, const char *map) {
  cleanup_fd file = result(openat(directory, name, O_WRONLY | O_CLOEXEC));
  if (file < 0) {
    return file;
  }
  ssize_t written = write(file, map, strlen(map));
  return written < 0 ? -errno : (size_t)written == strlen(map) ? 0 : -EINVAL;
}

// The user namespace of `pid` with these maps, as a descriptor.
static int map_namespace(const struct launch *launch, pid_t pid, const char *uids,
                         const char *gids) {
  char name[24];
  *put_number(name, (uint64_t)pid) = '\0';
  cleanup_fd directory = result(openat(launch->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) {
    return directory;
  }
  int mapped = write_map(directory, "uid_map", uids);
  if (mapped == 0) {
    mapped = write_map(directory, "gid_map", gids);
  }
  return mapped < 0 ? mapped : result(openat(directory, "ns/user", O_RDONLY | O_CLOEXEC));
}

int op_user_namespace(struct launch *launch, struct cursor *arguments) {
  int64_t slot = take_int(arguments);
  const char *uids = take_string(arguments, NULL);
  const char *gids = take_string(arguments, NULL);
  // A namespace is born with a process; this one lives only until the namespace has a descriptor.
  int pid = sys_clone(CLONE_NEWUSER, -1, NULL);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) {
      pause();
    }
  }
  if (pid < 0) {
    return pid;
  }
  int namespace = map_namespace(launch, pid, uids, gids);
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
  if (namespace < 0) {
    return namespace;
  }
  set_slot(launch, slot, namespace);
  return 0;
}

int op_hostname(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  size_t length;
  const char *name = take_string(arguments, &length);
  return result(sethostname(name, length));
}
