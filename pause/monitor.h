// What container and exec monitors have in common: configuration by stage 0, standard streams, the
// start itself.
#pragma once

#include "cgroup.h"
#include "control.h"
#include "launch.h"
#include "log.h"

struct monitor {
  struct launch *launch;
  struct log log;
  struct killer killer;
  struct oom_counters oom;
  int records;         // directory of exit records, -1 for none
  const char *record;  // the plan's own text, as the next two: copied before the plan goes
  const char *log_path;
  const char *control_path;  // bound; NULL for none
  struct control control;
  int terminal;  // the master of the program's terminal, -1 for none
  int out;             // where the container's output arrives, -1 for none
  int err;
  int held;  // the other end of a stdin that is held open, -1 for none
  pid_t pid;
  int pidfd;
  uint64_t pid_start;
  uint64_t own_start;
};

// Runs the operations of stage 0 and makes the standard streams.
bool monitor_configure(struct monitor *monitor, struct failure *failure);

// Starts the stage process and waits until the program runs. On failure nothing is left of it.
bool monitor_start(struct monitor *monitor, struct failure *failure);

// Sends `started`, with the terminal of an exec, whose holder the daemon is; -errno if the daemon is gone.
int monitor_answer_started(const struct monitor *monitor);
