// The operations of stages 1 to 3, by topic. Each reads its arguments and answers 0 or -errno.
#pragma once

#include "launch.h"

// files.c
int op_cgroup_enter(struct launch *launch, struct cursor *arguments);
int op_write(struct launch *launch, struct cursor *arguments);
int op_open(struct launch *launch, struct cursor *arguments);
int op_mkdir(struct launch *launch, struct cursor *arguments);
int op_mknod(struct launch *launch, struct cursor *arguments);
int op_symlink(struct launch *launch, struct cursor *arguments);

// mounts.c
int op_open_tree(struct launch *launch, struct cursor *arguments);
int op_mount_new(struct launch *launch, struct cursor *arguments);
int op_mount_setattr(struct launch *launch, struct cursor *arguments);
int op_label(struct launch *launch, struct cursor *arguments);
int op_root(struct launch *launch, struct cursor *arguments);
int op_attach(struct launch *launch, struct cursor *arguments);
int op_pivot(struct launch *launch, struct cursor *arguments);

// covers.c
int op_null_device(struct launch *launch, struct cursor *arguments);
int op_mount_proc(struct launch *launch, struct cursor *arguments);
int op_mask(struct launch *launch, struct cursor *arguments);
int op_readonly(struct launch *launch, struct cursor *arguments);
int op_exec_label(struct launch *launch, struct cursor *arguments);
int op_sysctl(struct launch *launch, struct cursor *arguments);

// namespaces.c
int op_namespaces(struct launch *launch, struct cursor *arguments);
int op_setns(struct launch *launch, struct cursor *arguments);
int op_unshare(struct launch *launch, struct cursor *arguments);
int op_user_namespace(struct launch *launch, struct cursor *arguments);
int op_hostname(struct launch *launch, struct cursor *arguments);

// identity.c
int op_rlimit(struct launch *launch, struct cursor *arguments);
int op_groups(struct launch *launch, struct cursor *arguments);
int op_ids(struct launch *launch, struct cursor *arguments);
int op_fs_ids(struct launch *launch, struct cursor *arguments);
int op_stdio_owner(struct launch *launch, struct cursor *arguments);
int op_capabilities(struct launch *launch, struct cursor *arguments);
int op_no_new_privs(struct launch *launch, struct cursor *arguments);
int op_seccomp(struct launch *launch, struct cursor *arguments);
// Loads what SECCOMP has prepared, if anything. Afterwards the filter may refuse every call.
int load_filter(const struct launch *launch);
int op_umask(struct launch *launch, struct cursor *arguments);

// program.c
int op_chdir(struct launch *launch, struct cursor *arguments);
int op_exec(struct launch *launch, struct cursor *arguments);
int op_exec_pause(struct launch *launch, struct cursor *arguments);

// terminal.c
int op_tty(struct launch *launch, struct cursor *arguments);
