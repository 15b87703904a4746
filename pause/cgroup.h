// What a monitor does with its container's cgroup: end all that is in it, and count OOM kills.
#pragma once

#include <stddef.h>
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

// What a counter counts: processes killed, and hits of the container's own limits and of its pod's.
enum oom_kind { OOM_KILLS, OOM_LIMIT_HITS, OOM_POD_LIMIT_HITS, OOM_KINDS };

#define OOM_MAX_COUNTERS 8
#define OOM_KEY_MAX 24

struct oom_counter {
  int fd;
  int64_t kind;
  char key[OOM_KEY_MAX];  // which line of the file, "" where the file is one number
  uint64_t start;         // the count when it was opened
};

struct oom_counters {
  struct oom_counter list[OOM_MAX_COUNTERS];
  size_t count;
};

// Opens one more. 0 or -errno.
int oom_open(struct oom_counters *counters, int64_t kind, const char *path, const char *key);

// By how much the counters rose since they were opened, by kind.
void oom_read(const struct oom_counters *counters, uint64_t rises[OOM_KINDS]);
