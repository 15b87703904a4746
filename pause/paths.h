// Paths inside a root that nobody trusts: every resolution is one openat2 beneath the root.
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "launch.h"

enum target { TARGET_DIRECTORY = 1, TARGET_FILE = 2 };

// The descriptor that a `dir` argument means: a slot, the new root (-2) or the present root (-1).
// `owned` takes what was opened for it and has to be closed. -errno if there is none.
int directory_of(const struct launch *launch, int64_t dir, int *owned);

// The descriptor in a slot, or -EBADF.
int slot_of(const struct launch *launch, int64_t slot);

// Puts a descriptor in a slot and closes what was there.
void set_slot(struct launch *launch, int64_t slot, int fd);

// An O_PATH descriptor of `path` beneath `root`; what is missing is made, component by component
// (directories 0755, the last with `mode`). Links are followed inside the root, dangling ones to
// where they point, unless `resolve` has RESOLVE_NO_SYMLINKS. -errno if that fails.
int open_or_make(int root, const char *path, enum target target, mode_t mode, uint64_t resolve);

// An O_PATH descriptor of the directory that holds the last component of `path`, copied to `last`.
int open_parent(int root, const char *path, char last[NAME_MAX + 1]);
