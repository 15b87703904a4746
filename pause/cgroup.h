// What a monitor does with its container's cgroup: end all that is in it, and count OOM kills.
#pragma once

#include <stdint.h>

enum kill_kind { KILL_FILE = 1, KILL_FREEZER = 2 };

struct killer {
  int64_t kind;
  int fd;  // the cgroup.kill file, or the freezer's directory; -1 for none
};

// Opens for a kill that comes later. 0 or -errno.
int killer_open(struct killer *killer, int64_t kind, const char *path);

// Ends every process of the cgroup. What can not be done is left: there is nobody to tell.
void killer_run(const struct killer *killer);

struct oom_counter {
  int fd;          // -1 for none
  uint64_t start;  // the count when it was opened
};

int oom_open(struct oom_counter *counter, const char *path);

// By how much the counter rose since it was opened.
uint64_t oom_kills(const struct oom_counter *counter);
