#include "builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[OP_END] = {
    [OP_LOG] = "LOG",
    [OP_EXIT_RECORD] = "EXIT_RECORD",
    [OP_KILL_CGROUP] = "KILL_CGROUP",
    [OP_OOM_COUNTER] = "OOM_COUNTER",
    [OP_STDIO] = "STDIO",
    [OP_CONTROL] = "CONTROL",
    [OP_CGROUP_ENTER] = "CGROUP_ENTER",
    [OP_CGROUP_INTO] = "CGROUP_INTO",
    [OP_WRITE] = "WRITE",
    [OP_OPEN] = "OPEN",
    [OP_OPEN_TREE] = "OPEN_TREE",
    [OP_MOUNT_NEW] = "MOUNT_NEW",
    [OP_MOUNT_SETATTR] = "MOUNT_SETATTR",
    [OP_LABEL] = "LABEL",
    [OP_MKDIR] = "MKDIR",
    [OP_MKNOD] = "MKNOD",
    [OP_SYMLINK] = "SYMLINK",
    [OP_NAMESPACES] = "NAMESPACES",
    [OP_SETNS] = "SETNS",
    [OP_UNSHARE] = "UNSHARE",
    [OP_ROOT] = "ROOT",
    [OP_ATTACH] = "ATTACH",
    [OP_PIVOT] = "PIVOT",
    [OP_USER_NAMESPACE] = "USER_NAMESPACE",
    [OP_FS_IDS] = "FS_IDS",
    [OP_MOUNT_PROC] = "MOUNT_PROC",
    [OP_MASK] = "MASK",
    [OP_READONLY] = "READONLY",
    [OP_HOSTNAME] = "HOSTNAME",
    [OP_RLIMIT] = "RLIMIT",
    [OP_GROUPS] = "GROUPS",
    [OP_IDS] = "IDS",
    [OP_CAPABILITIES] = "CAPABILITIES",
    [OP_NO_NEW_PRIVS] = "NO_NEW_PRIVS",
    [OP_SECCOMP] = "SECCOMP",
    [OP_EXEC_LABEL] = "EXEC_LABEL",
    [OP_UMASK] = "UMASK",
    [OP_CHDIR] = "CHDIR",
    [OP_TTY] = "TTY",
    [OP_EXEC] = "EXEC",
    [OP_EXEC_PAUSE] = "EXEC_PAUSE",
    [OP_SYSCTL] = "SYSCTL",
    [OP_STDIO_OWNER] = "STDIO_OWNER",
    [OP_LISTEN] = "LISTEN",
    [OP_AWAIT] = "AWAIT",
    [OP_RESTORE] = "RESTORE",
    [OP_NULL_DEVICE] = "NULL_DEVICE",
};

static void put(struct builder *b, const void *data, size_t size) {
  if (b->length + size > sizeof b->bytes) {
    fprintf(stderr, "plan too long\n");
    abort();
  }
  memcpy(b->bytes + b->length, data, size);
  b->length += size;
}

static void put16(struct builder *b, uint16_t value) {
  put(b, &value, sizeof value);
}

static void put32(struct builder *b, uint32_t value) {
  put(b, &value, sizeof value);
}

static void put64(struct builder *b, int64_t value) {
  put(b, &value, sizeof value);
}

static void put_string(struct builder *b, const void *data, size_t count) {
  static const uint8_t zeros[8];
  put32(b, (uint32_t)count);
  put(b, data, count);
  put(b, zeros, 8 - (count + 4) % 8);
}

__attribute__((format(printf, 2, 3))) static void say(struct builder *b, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(b->text + b->text_length, sizeof b->text - b->text_length, format, arguments);
  va_end(arguments);
  if (n < 0 || (size_t)n >= sizeof b->text - b->text_length) {
    abort();
  }
  b->text_length += (size_t)n;
}

static void say_quoted(struct builder *b, const char *text) {
  say(b, "\"");
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') {
      say(b, "\\%c", *text);
    } else if (*text == '\n') {
      say(b, "\\n");
    } else {
      say(b, "%c", *text);
    }
  }
  say(b, "\"");
}

void plan_begin(struct builder *b, enum plan_kind kind, uint32_t slots) {
  memset(b, 0, sizeof *b);
  b->slots = slots;
  put32(b, PEAP_MAGIC);
  put16(b, PLAN_VERSION);
  put16(b, (uint16_t)kind);
  put32(b, 0);
  put32(b, slots);
  put32(b, 0);
  put32(b, 0);
  say(b, "kind %d slots %u\n", (int)kind, slots);
}

void plan_add(struct builder *b, enum opcode opcode, enum plan_stage stage, const char *format,
              ...) {
  put16(b, (uint16_t)opcode);
  put16(b, (uint16_t)stage);
  size_t length_at = b->length;
  put32(b, 0);
  say(b, "%u %s stage %d:", b->operations, NAMES[opcode], (int)stage);
  va_list arguments;
  va_start(arguments, format);
  for (; *format != '\0'; format++) {
    say(b, " ");
    switch (*format) {
      case 'i': {
        int64_t value = va_arg(arguments, int64_t);
        put64(b, value);
        say(b, "%lld", (long long)value);
        break;
      }
      case 's': {
        const char *text = va_arg(arguments, const char *);
        put_string(b, text, strlen(text));
        say_quoted(b, text);
        break;
      }
      case 'b': {
        const uint8_t *data = va_arg(arguments, const uint8_t *);
        size_t count = va_arg(arguments, size_t);
        put_string(b, data, count);
        say(b, "bytes(");
        for (size_t i = 0; i < count; i++) {
          say(b, "%02x", data[i]);
        }
        say(b, ")");
        break;
      }
      case 'l': {
        const char *const *list = va_arg(arguments, const char *const *);
        int64_t count = 0;
        while (list[count] != NULL) {
          count++;
        }
        put64(b, count);
        say(b, "[");
        for (int64_t i = 0; i < count; i++) {
          put_string(b, list[i], strlen(list[i]));
          say(b, i == 0 ? "" : ", ");
          say_quoted(b, list[i]);
        }
        say(b, "]");
        break;
      }
      case 'n': {
        const int64_t *list = va_arg(arguments, const int64_t *);
        size_t count = va_arg(arguments, size_t);
        put64(b, (int64_t)count);
        say(b, "%zu", count);
        for (size_t i = 0; i < count; i++) {
          put64(b, list[i]);
          say(b, " %lld", (long long)list[i]);
        }
        break;
      }
      default:
        abort();
    }
  }
  va_end(arguments);
  say(b, "\n");
  uint32_t length = (uint32_t)(b->length - length_at - 4);
  memcpy(b->bytes + length_at, &length, sizeof length);
  b->operations++;
}

void plan_end(struct builder *b) {
  uint32_t length = (uint32_t)b->length;
  memcpy(b->bytes + 8, &b->operations, sizeof b->operations);
  memcpy(b->bytes + 16, &length, sizeof length);
}
