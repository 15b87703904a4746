// One request of the daemon on its way to a running process, as the processes that work on it see
// it, and what they tell each other. Everything here is inherited by fork; nothing is shared.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

struct launch {
  uint64_t id;
  struct plan plan;
  // Of the spawner: the daemon's socket, the pause program, the template mount namespace, /proc.
  int socket;
  int program;
  int template;
  int proc;
  int slots[PLAN_MAX_SLOTS];
  // Of the stage and the process.
  int report;      // end of the channel to whoever waits for the exec, SOCK_SEQPACKET
  int cgroup;      // what CGROUP_INTO names, -1 for none
  uint32_t cgroup_index;
  int stdio[3];    // what becomes 0, 1, 2
  int root;        // the mount that ROOT attached, -1 before ROOT and after PIVOT
  bool pivoted;
  uint64_t namespaces;
  int null_mount;   // NULL_DEVICE
  int empty_mount;  // what MASK covers directories with, once it is there
  int procfs;       // what SYSCTL writes to, once it is there
  bool terminal;
  mode_t mask;      // umask of the program
  uint32_t index;   // of the present operation
  void *filter;     // SECCOMP: instructions, NULL for none
  unsigned short filter_length;
  unsigned filter_flags;
  uint32_t filter_index;
  uint64_t detail;  // of the operation that failed
};

enum report_type { REPORT_CREATED = 1, REPORT_READY = 2, REPORT_FAILED = 3, REPORT_TERMINAL = 4 };

struct report {
  uint32_t type;
  int32_t pid;     // CREATED
  uint32_t index;  // FAILED: as in an answer
  int32_t error;
  uint32_t stage;
  uint32_t reserved;
  uint64_t detail;
};

// Why something could not be started; `error` is 0 if it was.
struct failure {
  uint32_t index;
  int error;
  uint32_t stage;
  uint64_t detail;
};

// Runs the operations of one stage up to the first that fails. Answers false and fills `failure`.
bool run_operations(struct launch *launch, enum plan_stage stage, struct failure *failure);

// Tells whoever waits for the exec that it will not come.
_Noreturn void report_failure(const struct launch *launch, const struct failure *failure);

// Closes every descriptor above 2 except the `count` in `keep`, which is sorted on the way.
void retain_descriptors(int *keep, size_t count);

// The life of the process that becomes the program: runs stage 3 and never returns.
_Noreturn void become_process(struct launch *launch);

// The life of a stage process (kinds 2 and 3): stages 1 and 2, then the clone. Never returns.
_Noreturn void become_stage(struct launch *launch);

// Sends over launch->report. A receiver that is gone is no error.
void send_report(const struct launch *launch, const struct report *report, int fd);

// Reads reports until every other holder of the channel has gone (so that the exec, which closes
// it, has happened or failed). `terminal` (may be NULL) takes a descriptor that came along.
// Answers the created process's pid, 0 if there was none; `failure` says whether it runs.
pid_t collect_reports(int channel, struct failure *failure, int *terminal);

// Fills in why a clone did not work: CGROUP_INTO is to blame where there is one.
void clone_failed(const struct launch *launch, int error, enum plan_stage stage,
                  struct failure *failure);

// Whether what was cloned into a cgroup died without a word. Some kernels kill what is cloned into a
// cgroup whose cgroup.kill was written more often than that of the cloning process's own.
bool killed_at_birth(const struct launch *launch, const struct failure *failure, pid_t created);

// Moves the calling process to launch->cgroup: the slow way, where the clone can not.
int enter_cgroup(const struct launch *launch);

// Opens what CGROUP_INTO names into launch->cgroup, if the plan has one.
bool open_cgroup(struct launch *launch, struct failure *failure);

// The lives of the four kinds of plan; all run in a child of the spawner and never return.
_Noreturn void launch_pause(struct launch *launch);
_Noreturn void launch_container(struct launch *launch);
_Noreturn void launch_exec(struct launch *launch);
_Noreturn void launch_holder(struct launch *launch);
