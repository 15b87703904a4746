// What is left of a container when its monitor has ended: one line of JSON.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cgroup.h"

#define EXIT_ID_MAX 128

struct exit_record {
  const char *id;
  int pid;
  int status;  // as waitpid(2) gives it
  uint64_t oom[OOM_KINDS];
  struct timespec started;
  struct timespec finished;
  uint64_t lost_records;
};

// Letters, digits, `-`, `_`, `.`; not empty, not too long, not starting with `.`.
bool exit_id_is_valid(const char *id);

// Writes `id` in the directory by a temporary file and a rename. 0 or -errno, and then nothing is
// left but perhaps the temporary file, which the next attempt overwrites.
int exit_record_write(int directory, const struct exit_record *record);
