// What the daemon is told, one datagram an answer. docs/launch-plan.md has the table.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "launch.h"

enum answer_type { ANSWER_STARTED = 1, ANSWER_FAILED = 2, ANSWER_EXITED = 3, ANSWER_READY = 4 };

struct request {
  uint32_t magic;
  uint32_t version;
  uint64_t id;
};

struct answer {
  uint32_t magic;
  uint32_t type;
  uint64_t id;
  int32_t pid;
  int32_t monitor;
  uint64_t pid_start;
  uint64_t monitor_start;
  uint32_t index;
  int32_t error;
  uint32_t stage;
  int32_t status;
  uint64_t detail;
};

_Static_assert(sizeof(struct request) == 16, "request");
_Static_assert(sizeof(struct answer) == 64, "answer");

// Sends with `count` (at most 2) descriptors attached. Blocks while the socket is full. 0 or -errno.
int send_answer(int socket, const struct answer *answer, const int *fds, size_t count, int flags);

// Tells of a failure and ends the process.
_Noreturn void answer_failed(const struct launch *launch, const struct failure *failure);

// The start time of a process in clock ticks since boot; 0 if it is gone. `proc` is /proc.
uint64_t process_start(int proc, pid_t pid);
