// Golden plans. `golden write DIR` makes them anew; `golden check DIR` compares them with the files,
// reads each with the plan reader, and feeds the reader every truncation and many broken bytes.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder.h"

#define I(x) ((int64_t)(x))
#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage P = STAGE_POD;
static const enum plan_stage X = STAGE_PROCESS;

static void pause_plan(struct builder *b) {
  plan_begin(b, KIND_PAUSE, 1);
  plan_add(b, OP_CGROUP_INTO, H, "s", "/sys/fs/cgroup/unified/peapod/pod1");
  plan_add(b, OP_CGROUP_ENTER, H, "s", "/sys/fs/cgroup/memory/peapod/pod1/tasks");
  plan_add(b, OP_WRITE, H, "sbi", "/proc/self/oom_score_adj", "-998", (size_t)4, I(1));
  plan_add(b, OP_NAMESPACES, H, "i", I(0x6c020000));
  plan_add(b, OP_MOUNT_NEW, H, "isli", I(0), "tmpfs",
           LIST("source=shm", "size=67108864", "mode=1777"), I(0xe));
  plan_add(b, OP_SETNS, P, "ii", I(-1), I(0x20000));
  plan_add(b, OP_ATTACH, X, "iisi", I(0), I(-1), "/shm", I(0));
  plan_add(b, OP_HOSTNAME, X, "s", "web");
  plan_add(b, OP_SYSCTL, X, "ss", "net.ipv4.ip_unprivileged_port_start", "0");
  plan_add(b, OP_EXEC_PAUSE, X, "");
}

static void container_plan(struct builder *b) {
  plan_begin(b, KIND_CONTAINER, 12);
  plan_add(b, OP_LOG, M, "s", "/var/log/pods/default_web_1/nginx/0.log");
  plan_add(b, OP_EXIT_RECORD, M, "ss", "/run/peapod/exits", "c0ffee");
  plan_add(b, OP_KILL_CGROUP, M, "is", I(1),
           "/sys/fs/cgroup/unified/peapod/pod1/c0ffee/cgroup.kill");
  plan_add(b, OP_OOM_COUNTER, M, "iss", I(0),
           "/sys/fs/cgroup/memory/peapod/pod1/c0ffee/memory.oom_control", "oom_kill");
  plan_add(b, OP_OOM_COUNTER, M, "iss", I(1),
           "/sys/fs/cgroup/memory/peapod/pod1/c0ffee/memory.failcnt", "");
  plan_add(b, OP_STDIO, M, "iii", I(-2), I(-1), I(-1));
  plan_add(b, OP_CONTROL, M, "s", "/run/peapod/control/c0ffee");
  plan_add(b, OP_CGROUP_INTO, H, "s", "/sys/fs/cgroup/unified/peapod/pod1/c0ffee");
  plan_add(b, OP_CGROUP_ENTER, H, "s", "/sys/fs/cgroup/memory/peapod/pod1/c0ffee/tasks");
  plan_add(b, OP_OPEN, H, "isii", I(2), "/sys/fs/cgroup/memory", I(0x210000), I(1));
  plan_add(b, OP_OPEN_TREE, H, "iisi", I(3), I(-1), "/dev/null", I(0));
  plan_add(b, OP_OPEN_TREE, H, "iisi", I(4), I(2), "peapod/pod1/c0ffee", I(1));
  plan_add(b, OP_MOUNT_SETATTR, H, "iiiiii", I(4), I(0xf), I(0), I(0x40000), I(1), I(-1));
  plan_add(b, OP_MOUNT_NEW, H, "isli", I(5), "tmpfs",
           LIST("source=tmpfs", "mode=755", "size=65536k"), I(0x2));
  plan_add(b, OP_MKDIR, H, "isi", I(5), "pts", I(0755));
  plan_add(b, OP_MKNOD, H, "isiiii", I(5), "null", I(020666), I(0x103), I(0), I(0));
  plan_add(b, OP_SYMLINK, H, "iss", I(5), "fd", "/proc/self/fd");
  plan_add(b, OP_SETNS, P, "ii", I(0), I(0x4c020000));
  plan_add(b, OP_UNSHARE, P, "i", I(0x20000));
  plan_add(b, OP_MOUNT_NEW, P, "isli", I(6), "mqueue", LIST(), I(0xe));
  plan_add(b, OP_LABEL, P, "is", I(6), "system_u:object_r:container_file_t:s0:c1,c2");
  plan_add(b, OP_OPEN_TREE, P, "iisi", I(7), I(-1), "/shm", I(0));
  plan_add(b, OP_ROOT, P, "ii", I(1), I(-1));
  plan_add(b, OP_ATTACH, P, "iisi", I(5), I(-2), "dev", I(5));
  plan_add(b, OP_ATTACH, P, "iisi", I(7), I(-2), "dev/shm", I(1));
  plan_add(b, OP_NULL_DEVICE, P, "i", I(3));
  plan_add(b, OP_PIVOT, P, "");
  plan_add(b, OP_SETNS, P, "ii", I(0), I(0x20000000));
  plan_add(b, OP_MOUNT_PROC, X, "i", I(0xe));
  plan_add(b, OP_MASK, X, "s", "/proc/kcore");
  plan_add(b, OP_READONLY, X, "s", "/proc/sys");
  plan_add(b, OP_EXEC_LABEL, X, "ss", "apparmor/exec", "exec web");
  plan_add(b, OP_RLIMIT, X, "iii", I(7), I(1024), I(524288));
  plan_add(b, OP_UMASK, X, "i", I(022));
  plan_add(b, OP_GROUPS, X, "n", (const int64_t[]){0, 101, 4294967294}, (size_t)3);
  plan_add(b, OP_IDS, X, "ii", I(101), I(102));
  plan_add(b, OP_CHDIR, X, "s", "/usr/share/nginx");
  plan_add(b, OP_CAPABILITIES, X, "iiiii", I(0xa80425fb), I(0xa80425fb), I(0xa80425fb), I(0), I(0));
  plan_add(b, OP_NO_NEW_PRIVS, X, "");
  plan_add(b, OP_SECCOMP, X, "ii", I(8), I(2));
  plan_add(b, OP_EXEC, X, "ll", LIST("nginx", "-g", "daemon off;"),
           LIST("PATH=/usr/sbin:/usr/bin", "EMPTY="));
}

static void terminal_plan(struct builder *b) {
  plan_begin(b, KIND_CONTAINER, 1);
  plan_add(b, OP_LOG, M, "s", "/var/log/tty.log");
  plan_add(b, OP_KILL_CGROUP, M, "is", I(2), "/sys/fs/cgroup/freezer/peapod/c1");
  plan_add(b, OP_OOM_COUNTER, M, "iss", I(2),
           "/sys/fs/cgroup/peapod/memory.events.local", "oom");
  plan_add(b, OP_TTY, X, "ii", I(24), I(80));
  plan_add(b, OP_EXEC, X, "ll", LIST("/bin/sh"), LIST());
}

static void exec_plan(struct builder *b) {
  plan_begin(b, KIND_EXEC, 4);
  plan_add(b, OP_KILL_CGROUP, M, "is", I(1),
           "/sys/fs/cgroup/unified/peapod/pod1/c0ffee/exec-1/cgroup.kill");
  plan_add(b, OP_STDIO, M, "iii", I(-1), I(1), I(2));
  plan_add(b, OP_CGROUP_INTO, H, "s", "/sys/fs/cgroup/unified/peapod/pod1/c0ffee/exec-1");
  plan_add(b, OP_SETNS, P, "ii", I(0), I(0x6e020000));
  plan_add(b, OP_CHDIR, X, "s", "/");
  plan_add(b, OP_GROUPS, X, "n", (const int64_t[]){0}, (size_t)0);
  plan_add(b, OP_IDS, X, "ii", I(0), I(0));
  plan_add(b, OP_EXEC, X, "ll", LIST("sh", "-c", "echo \"grüße\"\nexit 3"), LIST("PATH=/bin"));
}

static void users_pause_plan(struct builder *b) {
  plan_begin(b, KIND_PAUSE, 1);
  plan_add(b, OP_USER_NAMESPACE, H, "iss", I(0), "0 65536 65536\n", "0 131072 65536\n");
  plan_add(b, OP_SETNS, P, "ii", I(0), I(0x10000000));
  plan_add(b, OP_IDS, X, "ii", I(0), I(0));
  plan_add(b, OP_EXEC_PAUSE, X, "");
}

static void users_container_plan(struct builder *b) {
  plan_begin(b, KIND_CONTAINER, 2);
  plan_add(b, OP_MOUNT_SETATTR, H, "iiiiii", I(1), I(0), I(0), I(0), I(0), I(0));
  plan_add(b, OP_FS_IDS, P, "ii", I(65536), I(131072));
  plan_add(b, OP_STDIO_OWNER, X, "i", I(65636));
  plan_add(b, OP_SETNS, X, "ii", I(1), I(0x10000000));
  plan_add(b, OP_UNSHARE, X, "i", I(0x20000));
  plan_add(b, OP_IDS, X, "ii", I(100), I(0));
  plan_add(b, OP_EXEC, X, "ll", LIST("sh"), LIST());
}

static void holder_plan(struct builder *b) {
  static const uint8_t any4[4];
  static const uint8_t loopback6[16] = {[15] = 1};
  static const uint8_t target[4] = {10, 88, 0, 2};
  plan_begin(b, KIND_HOLDER, 1);
  plan_add(b, OP_LISTEN, M, "iibibi", I(4), I(6), any4, sizeof any4, I(8080), target,
           sizeof target, I(80));
  plan_add(b, OP_LISTEN, M, "iibibi", I(6), I(17), loopback6, sizeof loopback6, I(5353), target,
           sizeof target, I(53));
  plan_add(b, OP_AWAIT, M, "i", I(0));
}

static void restore_plan(struct builder *b) {
  plan_begin(b, KIND_CONTAINER, 2);
  plan_add(b, OP_OPEN_TREE, H, "iisi", I(1), I(-1), "/", I(1));
  plan_add(b, OP_ROOT, P, "ii", I(1), I(-1));
  plan_add(b, OP_ATTACH, P, "iisi", I(0), I(-2), "/made/rootfs", I(1));
  plan_add(b, OP_PIVOT, P, "");
  plan_add(b, OP_STDIO_OWNER, X, "i", I(101));
  plan_add(b, OP_RESTORE, X, "lls", LIST("/usr/sbin/criu", "restore"), LIST("PATH=/usr/sbin"),
           "/made/pid");
}

// Texts of every length of padding, empty lists, the ends of the integers.
static void encodings_plan(struct builder *b) {
  plan_begin(b, KIND_CONTAINER, 256);
  for (int i = 0; i <= 9; i++) {
    plan_add(b, OP_CGROUP_ENTER, H, "s", &"123456789"[9 - i]);
  }
  plan_add(b, OP_WRITE, H, "sbi", "/x", "a\0b\n\xff", (size_t)5, I(0));
  plan_add(b, OP_WRITE, H, "sbi", "/x", "", (size_t)0, I(0));
  plan_add(b, OP_OPEN, H, "isii", I(255), "/", INT64_MAX, INT64_MIN);
  plan_add(b, OP_EXEC, X, "ll", LIST(""), LIST("", "ü=€"));
}

static const struct golden {
  const char *name;
  void (*make)(struct builder *);
} GOLDEN[] = {
    {"pause", pause_plan}, {"container", container_plan}, {"terminal", terminal_plan},
    {"exec", exec_plan},   {"holder", holder_plan},       {"encodings", encodings_plan},
    {"restore", restore_plan},
    {"users-pause", users_pause_plan}, {"users-container", users_container_plan},
};

static int write_file(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "we");
  if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
    perror(path);
    return 1;
  }
  return 0;
}

static int same_file(const char *path, const void *data, size_t size) {
  static char content[128 << 10];
  FILE *file = fopen(path, "re");
  size_t n = file == NULL ? 0 : fread(content, 1, sizeof content, file);
  if (file != NULL) {
    fclose(file);
  }
  if (n == size && memcmp(content, data, size) == 0) {
    return 0;
  }
  fprintf(stderr, "%s: differs from what the generator makes\n", path);
  return 1;
}

static void ignore_slot(void *context, int slot) {
  *(int *)context += slot;
}

// Reads a plan as joiner would, each argument by its shape.
static void walk(const struct plan *plan) {
  struct operation operation = {0};
  uint32_t count = 0;
  while (plan_next(plan, &operation)) {
    count++;
  }
  if (count != plan->operations) {
    fprintf(stderr, "walked %u of %u operations\n", count, plan->operations);
    abort();
  }
  int sum = 0;
  for (int stage = STAGE_MONITOR; stage <= STAGE_PROCESS; stage++) {
    plan_slots(plan, (enum plan_stage)stage, ignore_slot, &sum);
  }
}

static int parse_exact(const uint8_t *bytes, size_t length, struct plan *plan) {
  // A copy of exactly that length, so that the sanitizer sees a read past its end.
  uint8_t *copy = malloc(length == 0 ? 1 : length);
  if (copy == NULL) {
    abort();
  }
  memcpy(copy, bytes, length);
  int result = plan_parse(plan, copy, length);
  if (result == 0) {
    walk(plan);
  }
  free(copy);
  return result;
}

static int hostile(const struct builder *b, const char *name) {
  struct plan plan;
  int failures = 0;
  if (parse_exact(b->bytes, b->length, &plan) != 0) {
    fprintf(stderr, "%s: refused by the reader\n", name);
    failures++;
  }
  for (size_t length = 0; length < b->length; length++) {
    if (parse_exact(b->bytes, length, &plan) != -EPROTO) {
      fprintf(stderr, "%s: %zu of %zu bytes accepted\n", name, length, b->length);
      failures++;
    }
  }
  static uint8_t broken[sizeof b->bytes];
  for (size_t at = 0; at < b->length; at++) {
    static const uint8_t changes[] = {0x01, 0x02, 0x08, 0x40, 0x80, 0xff};
    for (size_t i = 0; i < sizeof changes; i++) {
      memcpy(broken, b->bytes, b->length);
      broken[at] ^= changes[i];
      int result = parse_exact(broken, b->length, &plan);
      if (result != 0 && result != -EPROTO) {
        failures++;
      }
    }
  }
  memcpy(broken, b->bytes, b->length);
  uint32_t longer = (uint32_t)b->length + 8;
  memcpy(broken + 16, &longer, sizeof longer);
  memset(broken + b->length, 0, 8);
  if (parse_exact(broken, longer, &plan) != -EPROTO) {
    fprintf(stderr, "%s: trailing bytes accepted\n", name);
    failures++;
  }
  return failures;
}

int main(int argc, char **argv) {
  if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "check") != 0)) {
    fprintf(stderr, "usage: golden write|check DIR\n");
    return 2;
  }
  static struct builder b;
  int failures = 0;
  for (size_t i = 0; i < sizeof GOLDEN / sizeof GOLDEN[0]; i++) {
    GOLDEN[i].make(&b);
    plan_end(&b);
    char plan_path[4096];
    char text_path[4096];
    snprintf(plan_path, sizeof plan_path, "%s/%s.plan", argv[2], GOLDEN[i].name);
    snprintf(text_path, sizeof text_path, "%s/%s.txt", argv[2], GOLDEN[i].name);
    if (argv[1][0] == 'w') {
      failures += write_file(plan_path, b.bytes, b.length);
      failures += write_file(text_path, b.text, b.text_length);
    } else {
      failures += same_file(plan_path, b.bytes, b.length);
      failures += same_file(text_path, b.text, b.text_length);
    }
    failures += hostile(&b, GOLDEN[i].name);
  }
  if (failures == 0) {
    printf("ok golden plans: %zu\n", sizeof GOLDEN / sizeof GOLDEN[0]);
  }
  return failures == 0 ? 0 : 1;
}
