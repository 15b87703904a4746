// Namespaces.
#include <sys/utsname.h>

#include "operations.h"
#include "paths.h"
#include "system.h"

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

int op_hostname(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  size_t length;
  const char *name = take_string(arguments, &length);
  return result(sethostname(name, length));
}
