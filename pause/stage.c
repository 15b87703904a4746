#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "launch.h"
#include "operations.h"
#include "system.h"

typedef int (*operate)(struct launch *, struct cursor *);

// Those that their reader has done before: nothing is left to do when their turn comes.
static int done_before(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  (void)arguments;
  return 0;
}

static const operate OPERATIONS[OP_END] = {
    [OP_CGROUP_ENTER] = op_cgroup_enter,
    [OP_CGROUP_INTO] = done_before,
    [OP_WRITE] = op_write,
    [OP_OPEN] = op_open,
    [OP_OPEN_TREE] = op_open_tree,
    [OP_MOUNT_NEW] = op_mount_new,
    [OP_MOUNT_SETATTR] = op_mount_setattr,
    [OP_LABEL] = op_label,
    [OP_MKDIR] = op_mkdir,
    [OP_MKNOD] = op_mknod,
    [OP_SYMLINK] = op_symlink,
    [OP_NAMESPACES] = op_namespaces,
    [OP_SETNS] = op_setns,
    [OP_UNSHARE] = op_unshare,
    [OP_ROOT] = op_root,
    [OP_ATTACH] = op_attach,
    [OP_PIVOT] = op_pivot,
    [OP_USER_NAMESPACE] = op_user_namespace,
    [OP_FS_IDS] = op_fs_ids,
    [OP_MOUNT_PROC] = op_mount_proc,
    [OP_MASK] = op_mask,
    [OP_READONLY] = op_readonly,
    [OP_HOSTNAME] = op_hostname,
    [OP_RLIMIT] = op_rlimit,
    [OP_GROUPS] = op_groups,
    [OP_IDS] = op_ids,
    [OP_CAPABILITIES] = op_capabilities,
    [OP_NO_NEW_PRIVS] = op_no_new_privs,
    [OP_SECCOMP] = op_seccomp,
    [OP_UMASK] = op_umask,
    [OP_CHDIR] = op_chdir,
    [OP_TTY] = op_tty,
    [OP_EXEC] = op_exec,
    // The monitor knows the rest of it.
    [OP_RESTORE] = op_exec,
    [OP_EXEC_PAUSE] = op_exec_pause,
    [OP_SYSCTL] = op_sysctl,
    [OP_STDIO_OWNER] = op_stdio_owner,
    [OP_NULL_DEVICE] = op_null_device,
    [OP_EXEC_LABEL] = op_exec_label,
};

bool run_operations(struct launch *launch, enum plan_stage stage, struct failure *failure) {
  struct operation operation = {0};
  while (plan_next(&launch->plan, &operation)) {
    if (operation.stage != stage) {
      continue;
    }
    struct cursor arguments = {operation.arguments};
    launch->index = operation.index;
    int done = OPERATIONS[operation.opcode](launch, &arguments);
    if (done < 0) {
      *failure = (struct failure){
          .index = operation.index, .error = -done, .stage = stage, .detail = launch->detail};
      return false;
    }
  }
  return true;
}

void retain_descriptors(int *keep, size_t count) {
  for (size_t i = 1; i < count; i++) {
    int fd = keep[i];
    size_t at = i;
    for (; at > 0 && keep[at - 1] > fd; at--) {
      keep[at] = keep[at - 1];
    }
    keep[at] = fd;
  }
  int next = 3;
  for (size_t i = 0; i < count; i++) {
    if (keep[i] > next) {
      sys_close_range((unsigned)next, (unsigned)keep[i] - 1, 0);
    }
    if (keep[i] >= next) {
      next = keep[i] + 1;
    }
  }
  sys_close_range((unsigned)next, ~0u, 0);
}

void clone_failed(const struct launch *launch, int error, enum plan_stage stage,
                  struct failure *failure) {
  *failure = (struct failure){.index = NO_OPERATION, .error = error, .stage = stage};
  if (launch->cgroup >= 0) {
    failure->index = launch->cgroup_index;
    failure->stage = STAGE_HOST;
  }
}

bool killed_at_birth(const struct launch *launch, const struct failure *failure, pid_t created) {
  return launch->cgroup >= 0 && created == 0 && failure->error == EIO &&
         failure->index == NO_OPERATION;
}

int enter_cgroup(const struct launch *launch) {
  cleanup_fd file = result(openat(launch->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (file < 0) {
    return file;
  }
  return write(file, "0", 1) == 1 ? 0 : -errno;
}

bool open_cgroup(struct launch *launch, struct failure *failure) {
  struct operation operation;
  if (!plan_find(&launch->plan, OP_CGROUP_INTO, &operation)) {
    return true;
  }
  struct cursor arguments = {operation.arguments};
  launch->cgroup_index = operation.index;
  launch->cgroup = result(open(take_string(&arguments, NULL), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (launch->cgroup < 0) {
    *failure = (struct failure){
        .index = operation.index, .error = -launch->cgroup, .stage = STAGE_HOST};
    return false;
  }
  return true;
}

void send_report(const struct launch *launch, const struct report *report, int fd) {
  struct iovec part = {.iov_base = (void *)report, .iov_len = sizeof *report};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
  }
  sendmsg(launch->report, &message, MSG_NOSIGNAL);
}

pid_t collect_reports(int channel, struct failure *failure, int *terminal) {
  pid_t created = 0;
  bool ready = false;
  *failure = (struct failure){.index = NO_OPERATION, .error = EIO};
  for (;;) {
    struct report report;
    struct iovec part = {.iov_base = &report, .iov_len = sizeof report};
    union {
      struct cmsghdr header;
      char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) {
      continue;
    }
    if (length <= 0) {
      return created;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
      int fd;
      memcpy(&fd, CMSG_DATA(header), sizeof fd);
      if (terminal != NULL && *terminal < 0) {
        *terminal = fd;
      } else {
        close(fd);
      }
    }
    if (length != sizeof report) {
      continue;
    }
    if (report.type == REPORT_CREATED) {
      created = report.pid;
    } else if (report.type == REPORT_READY && !ready) {
      ready = true;
      failure->error = 0;
    } else if (report.type == REPORT_FAILED) {
      *failure = (struct failure){.index = report.index,
                                  .error = report.error,
                                  .stage = report.stage,
                                  .detail = report.detail};
    }
  }
}

void report_failure(const struct launch *launch, const struct failure *failure) {
  struct report report = {.type = REPORT_FAILED,
                          .index = failure->index,
                          .error = failure->error,
                          .stage = failure->stage,
                          .detail = failure->detail};
  send_report(launch, &report, -1);
  _exit(127);
}

void become_process(struct launch *launch) {
  signal(SIGCHLD, SIG_DFL);
  setsid();
  launch->mask = 022;
  struct failure failure;
  run_operations(launch, STAGE_PROCESS, &failure);
  // The plan ends with an exec, which only comes back with a failure.
  report_failure(launch, &failure);
}

struct kept {
  const struct launch *launch;
  int *fds;
  size_t count;
};

static void keep_slot(void *context, int slot) {
  struct kept *kept = context;
  int fd = kept->launch->slots[slot];
  for (size_t i = 0; i < kept->count; i++) {
    if (kept->fds[i] == fd) {
      return;
    }
  }
  if (fd >= 0) {
    kept->fds[kept->count++] = fd;
  }
}

void become_stage(struct launch *launch) {
  for (int fd = 0; fd <= 2; fd++) {
    dup2(launch->stdio[fd], fd);
  }
  struct failure failure;
  if (!run_operations(launch, STAGE_HOST, &failure) ||
      !run_operations(launch, STAGE_POD, &failure)) {
    report_failure(launch, &failure);
  }
  // Nothing of the host goes where the pod's other processes could see it.
  int keep[PLAN_MAX_SLOTS + 3];
  struct kept kept = {.launch = launch, .fds = keep};
  keep[kept.count++] = launch->report;
  if (launch->null_mount >= 0) {
    keep[kept.count++] = launch->null_mount;
  }
  if (launch->root >= 0) {
    keep[kept.count++] = launch->root;
  }
  plan_slots(&launch->plan, STAGE_PROCESS, keep_slot, &kept);
  retain_descriptors(keep, kept.count);

  int pid = sys_clone(CLONE_PARENT, -1, NULL);
  if (pid == 0) {
    become_process(launch);
  }
  if (pid < 0) {
    report_failure(launch, &(struct failure){.index = NO_OPERATION,
                                             .error = -pid,
                                             .stage = STAGE_PROCESS});
  }
  send_report(launch, &(struct report){.type = REPORT_CREATED, .pid = pid}, -1);
  _exit(0);
}
