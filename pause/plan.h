// Launch plans: the reader. docs/launch-plan.md describes the bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEAP_MAGIC 0x50414550u
#define PROTOCOL_VERSION 1
#define PLAN_VERSION 1
#define PLAN_HEADER 24
#define PLAN_MAX_BYTES (4u << 20)
#define PLAN_MAX_SLOTS 256
#define REQUEST_MAX_SLOTS 200
#define NO_OPERATION 0xffffffffu

enum plan_kind { KIND_PAUSE = 1, KIND_CONTAINER = 2, KIND_EXEC = 3, KIND_HOLDER = 4 };

enum plan_stage { STAGE_MONITOR, STAGE_HOST, STAGE_POD, STAGE_PROCESS };

enum opcode {
  OP_LOG = 1,
  OP_EXIT_RECORD = 2,
  OP_KILL_CGROUP = 3,
  OP_OOM_COUNTER = 4,
  OP_STDIO = 5,
  OP_CONTROL = 6,
  OP_CGROUP_ENTER = 20,
  OP_CGROUP_INTO = 21,
  OP_WRITE = 22,
  OP_OPEN = 23,
  OP_OPEN_TREE = 24,
  OP_MOUNT_NEW = 25,
  OP_MOUNT_SETATTR = 26,
  OP_MKDIR = 27,
  OP_MKNOD = 28,
  OP_SYMLINK = 29,
  OP_NAMESPACES = 40,
  OP_SETNS = 41,
  OP_UNSHARE = 42,
  OP_ROOT = 43,
  OP_ATTACH = 44,
  OP_PIVOT = 45,
  OP_USER_NAMESPACE = 46,
  OP_FS_IDS = 47,
  OP_MOUNT_PROC = 60,
  OP_MASK = 61,
  OP_READONLY = 62,
  OP_HOSTNAME = 63,
  OP_RLIMIT = 64,
  OP_GROUPS = 65,
  OP_IDS = 66,
  OP_CAPABILITIES = 67,
  OP_NO_NEW_PRIVS = 68,
  OP_SECCOMP = 69,
  OP_UMASK = 70,
  OP_CHDIR = 71,
  OP_TTY = 72,
  OP_EXEC = 73,
  OP_EXEC_PAUSE = 74,
  OP_SYSCTL = 75,
  OP_STDIO_OWNER = 77,
  OP_LISTEN = 80,
  OP_NULL_DEVICE = 81,
  OP_EXEC_LABEL = 82,
  OP_AWAIT = 83,
  OP_RESTORE = 84,
  OP_LABEL = 85,
  OP_END = 86,
};

struct plan {
  const uint8_t *bytes;
  size_t length;
  uint16_t kind;
  uint32_t operations;
  uint32_t slots;
};

// One operation of a plan. `arguments` are read with the take_ functions, in the table's order.
struct operation {
  uint16_t opcode;
  uint16_t stage;
  uint32_t index;
  const uint8_t *arguments;
};

// Where a reading of arguments stands.
struct cursor {
  const uint8_t *at;
};

// Checks every byte of a plan. Answers 0 and fills `plan` (which points into `bytes`), or -EPROTO.
// After it the take_ functions need no checks of their own.
int plan_parse(struct plan *plan, const void *bytes, size_t length);

// Steps to the next operation; `operation` starts zeroed. False after the last one.
bool plan_next(const struct plan *plan, struct operation *operation);

// Finds the first operation of that opcode.
bool plan_find(const struct plan *plan, enum opcode opcode, struct operation *operation);

// Visits the slots that operations of `stage` name: calls `visit` for each.
void plan_slots(const struct plan *plan, enum plan_stage stage, void (*visit)(void *, int),
                void *context);

int64_t take_int(struct cursor *cursor);
// A str (NUL-terminated) or bytes argument; `length` (may be NULL) is its count without the NUL.
const char *take_string(struct cursor *cursor, size_t *length);
