#include "plan.h"

#include <errno.h>
#include <string.h>

// What an operation may look like. Arguments: i int, k slot, o slot or -1, u slot or -1 or -2,
// d directory (slot, -1 or -2), s str, b bytes, l list of str, n counted ints.
struct shape {
  const char *arguments;
  uint8_t stages;
  uint8_t kinds;
};

#define M (1u << STAGE_MONITOR)
#define H (1u << STAGE_HOST)
#define P (1u << STAGE_POD)
#define X (1u << STAGE_PROCESS)
#define PAUSE (1u << KIND_PAUSE)
#define CONTAINER (1u << KIND_CONTAINER)
#define EXEC (1u << KIND_EXEC)
#define HOLDER (1u << KIND_HOLDER)
#define MONITORED (CONTAINER | EXEC)
#define STAGED (PAUSE | CONTAINER | EXEC)

static const struct shape SHAPES[OP_END] = {
    [OP_LOG] = {"s", M, CONTAINER},
    [OP_EXIT_RECORD] = {"ss", M, CONTAINER},
    [OP_KILL_CGROUP] = {"is", M, MONITORED},
    [OP_OOM_COUNTER] = {"iss", M, CONTAINER},
    [OP_STDIO] = {"uoo", M, MONITORED},
    [OP_CONTROL] = {"s", M, CONTAINER},
    [OP_CGROUP_ENTER] = {"s", H, STAGED},
    [OP_CGROUP_INTO] = {"s", H, STAGED},
    [OP_WRITE] = {"sbi", H, STAGED},
    [OP_OPEN] = {"ksii", H, STAGED},
    [OP_OPEN_TREE] = {"kdsi", H | P, STAGED},
    [OP_MOUNT_NEW] = {"ksli", H | P, STAGED},
    [OP_MOUNT_SETATTR] = {"kiiiio", H | P, STAGED},
    [OP_MKDIR] = {"dsi", H | P | X, STAGED},
    [OP_MKNOD] = {"dsiiii", H | P | X, STAGED},
    [OP_SYMLINK] = {"dss", H | P | X, STAGED},
    [OP_NAMESPACES] = {"i", H, PAUSE},
    [OP_SETNS] = {"oi", H | P | X, STAGED},
    [OP_UNSHARE] = {"i", P | X, STAGED},
    [OP_ROOT] = {"ki", P, STAGED},
    [OP_ATTACH] = {"kdsi", H | P | X, STAGED},
    [OP_PIVOT] = {"", P, STAGED},
    [OP_USER_NAMESPACE] = {"kss", H, STAGED},
    [OP_FS_IDS] = {"ii", P, STAGED},
    [OP_MOUNT_PROC] = {"i", X, STAGED},
    [OP_MASK] = {"s", X, STAGED},
    [OP_READONLY] = {"s", X, STAGED},
    [OP_HOSTNAME] = {"s", X, STAGED},
    [OP_RLIMIT] = {"iii", X, STAGED},
    [OP_GROUPS] = {"n", X, STAGED},
    [OP_IDS] = {"ii", X, STAGED},
    [OP_CAPABILITIES] = {"iiiii", X, STAGED},
    [OP_NO_NEW_PRIVS] = {"", X, STAGED},
    [OP_SECCOMP] = {"ki", X, MONITORED},
    [OP_UMASK] = {"i", X, STAGED},
    [OP_CHDIR] = {"s", X, STAGED},
    [OP_TTY] = {"ii", X, MONITORED},
    [OP_EXEC] = {"ll", X, MONITORED},
    [OP_EXEC_PAUSE] = {"", X, PAUSE},
    [OP_SYSCTL] = {"ss", X, STAGED},
    [OP_STDIO_OWNER] = {"i", X, MONITORED},
    [OP_LISTEN] = {"iibibi", M, HOLDER},
    [OP_NULL_DEVICE] = {"k", P, STAGED},
    [OP_EXEC_LABEL] = {"ss", X, MONITORED},
    [OP_LABEL] = {"ks", H | P, STAGED},
    [OP_RESTORE] = {"lls", X, CONTAINER},
    [OP_AWAIT] = {"k", M, HOLDER},
};

#undef M
#undef H
#undef P
#undef X

static uint16_t load16(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint32_t load32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static int64_t load64(const uint8_t *at) {
  int64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

// The bytes a str of that count takes: count, text, NUL, padding.
static size_t string_size(uint32_t count) {
  return ((size_t)count + 5 + 7) & ~(size_t)7;
}

static bool check_int(const uint8_t **at, const uint8_t *end, int64_t *value) {
  if (end - *at < 8) {
    return false;
  }
  *value = load64(*at);
  *at += 8;
  return true;
}

static bool check_string(const uint8_t **at, const uint8_t *end, bool text) {
  if (end - *at < 8) {
    return false;
  }
  uint32_t count = load32(*at);
  size_t size = string_size(count);
  if (count > PLAN_MAX_BYTES || (size_t)(end - *at) < size) {
    return false;
  }
  const uint8_t *start = *at + 4;
  if (text && memchr(start, 0, count) != NULL) {
    return false;
  }
  *at += size;
  for (const uint8_t *padding = start + count; padding < *at; padding++) {
    if (*padding != 0) {
      return false;
    }
  }
  return true;
}

static bool check_counted(const uint8_t **at, const uint8_t *end, bool strings) {
  int64_t count;
  if (!check_int(at, end, &count) || count < 0 || count > (end - *at) / 8) {
    return false;
  }
  while (count-- > 0) {
    int64_t ignored;
    if (strings ? !check_string(at, end, true) : !check_int(at, end, &ignored)) {
      return false;
    }
  }
  return true;
}

static bool check_arguments(const struct plan *plan, const char *shape, const uint8_t *at,
                            const uint8_t *end) {
  for (; *shape != '\0'; shape++) {
    int64_t value = 0;
    int64_t least = 0;
    switch (*shape) {
      case 's':
      case 'b':
        if (!check_string(&at, end, *shape == 's')) {
          return false;
        }
        continue;
      case 'l':
      case 'n':
        if (!check_counted(&at, end, *shape == 'l')) {
          return false;
        }
        continue;
      case 'i':
        if (!check_int(&at, end, &value)) {
          return false;
        }
        continue;
      case 'k':
        break;
      case 'o':
        least = -1;
        break;
      default:
        least = -2;
        break;
    }
    if (!check_int(&at, end, &value) || value < least || value >= (int64_t)plan->slots) {
      return false;
    }
  }
  return at == end;
}

// Whether the operation can only be the last one of its plan; a plan of any kind but HOLDER ends with such.
static bool is_last(uint16_t opcode) {
  return opcode == OP_EXEC_PAUSE || opcode == OP_EXEC || opcode == OP_RESTORE;
}

int plan_parse(struct plan *plan, const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  const uint8_t *end = at + length;
  if (length < PLAN_HEADER || length > PLAN_MAX_BYTES || load32(at) != PEAP_MAGIC ||
      load16(at + 4) != PLAN_VERSION || load32(at + 16) != length || load32(at + 20) != 0) {
    return -EPROTO;
  }
  *plan = (struct plan){
      .bytes = bytes,
      .length = length,
      .kind = load16(at + 6),
      .operations = load32(at + 8),
      .slots = load32(at + 12),
  };
  if (plan->kind < KIND_PAUSE || plan->kind > KIND_HOLDER || plan->slots > PLAN_MAX_SLOTS ||
      plan->operations == 0) {
    return -EPROTO;
  }
  uint16_t stage = STAGE_MONITOR;
  at += PLAN_HEADER;
  for (uint32_t i = 0; i < plan->operations; i++) {
    if (end - at < 8) {
      return -EPROTO;
    }
    uint16_t opcode = load16(at);
    uint16_t its_stage = load16(at + 2);
    uint32_t size = load32(at + 4);
    at += 8;
    if (opcode >= OP_END || SHAPES[opcode].arguments == NULL || its_stage < stage ||
        its_stage > STAGE_PROCESS || (SHAPES[opcode].stages & (1u << its_stage)) == 0 ||
        (SHAPES[opcode].kinds & (1u << plan->kind)) == 0 || size % 8 != 0 ||
        size > (size_t)(end - at) ||
        !check_arguments(plan, SHAPES[opcode].arguments, at, at + size)) {
      return -EPROTO;
    }
    if (plan->kind != KIND_HOLDER && is_last(opcode) != (i == plan->operations - 1)) {
      return -EPROTO;
    }
    if ((opcode == OP_EXEC || opcode == OP_RESTORE) && load64(at) == 0) {
      return -EPROTO;
    }
    if (opcode == OP_CGROUP_INTO && stage == STAGE_HOST && i > 0) {
      return -EPROTO;
    }
    stage = its_stage;
    at += size;
  }
  return at == end ? 0 : -EPROTO;
}

bool plan_next(const struct plan *plan, struct operation *operation) {
  const uint8_t *at = plan->bytes + PLAN_HEADER;
  uint32_t index = 0;
  if (operation->arguments != NULL) {
    at = operation->arguments + load32(operation->arguments - 4);
    index = operation->index + 1;
  }
  if (index >= plan->operations) {
    return false;
  }
  *operation = (struct operation){
      .opcode = load16(at), .stage = load16(at + 2), .index = index, .arguments = at + 8};
  return true;
}

bool plan_find(const struct plan *plan, enum opcode opcode, struct operation *operation) {
  *operation = (struct operation){0};
  while (plan_next(plan, operation)) {
    if (operation->opcode == opcode) {
      return true;
    }
  }
  return false;
}

void plan_slots(const struct plan *plan, enum plan_stage stage, void (*visit)(void *, int),
                void *context) {
  struct operation operation = {0};
  while (plan_next(plan, &operation)) {
    if (operation.stage != stage) {
      continue;
    }
    struct cursor cursor = {operation.arguments};
    for (const char *shape = SHAPES[operation.opcode].arguments; *shape != '\0'; shape++) {
      if (*shape == 'l' || *shape == 'n') {
        break;  // slots never come after a list
      }
      if (*shape == 's' || *shape == 'b') {
        take_string(&cursor, NULL);
        continue;
      }
      int64_t value = take_int(&cursor);
      if (*shape != 'i' && value >= 0) {
        visit(context, (int)value);
      }
    }
  }
}

int64_t take_int(struct cursor *cursor) {
  int64_t value = load64(cursor->at);
  cursor->at += 8;
  return value;
}

const char *take_string(struct cursor *cursor, size_t *length) {
  uint32_t count = load32(cursor->at);
  const char *text = (const char *)cursor->at + 4;
  if (length != NULL) {
    *length = count;
  }
  cursor->at += string_size(count);
  return text;
}
