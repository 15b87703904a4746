// Containers that pry, flood, run out of memory or do not let go.
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pod.h"

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage P = STAGE_POD;
static const enum plan_stage X = STAGE_PROCESS;

static struct container c;

// A neighbour with every capability looks at all processes of the pod while others start beside it.
static void shows_no_host(struct pod *pod) {
  static struct container watcher;
  container_begin(&watcher, "watcher");
  container_mounts(&watcher);
  container_start(&watcher, pod, LIST("probe", "watch"));
  while (strstr(log_text(watcher.log), "watching") == NULL) {
    usleep(1000);
  }
  for (int i = 0; i < 100; i++) {
    char id[32];
    snprintf(id, sizeof id, "watched-%d", i);
    container_run(pod, id, LIST("probe", "exit", "0"), NULL);
  }
  kill(watcher.reply.answer.pid, SIGTERM);
  container_wait(&watcher);
  char *log = log_text(watcher.log);
  EXPECT(strstr(log, "host") == NULL, "%s", log);
  EXPECT(number_after(log, "processes seen ") > 2, "%s", log);
}

static void filters_calls(struct pod *pod) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
      // Only the execution may come after the filter.
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  char path[64];
  snprintf(path, sizeof path, "%s/filter", scratch);
  int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || write(file, filter, sizeof filter) != sizeof filter) {
    die("%s", path);
  }
  close(file);
  container_begin(&c, "seccomp");
  plan_add(&c.builder, OP_OPEN, H, "isii", I(7), path, I(O_RDONLY), I(2));
  container_mounts(&c);
  plan_add(&c.builder, OP_NO_NEW_PRIVS, X, "");
  plan_add(&c.builder, OP_SECCOMP, X, "ii", I(7), I(0));
  container_start(&c, pod, LIST("probe", "status"));
  const char *record = container_wait(&c);
  EXPECT(number_after(record, "\"exitCode\":") == 0, "%s", record);
  char *log = log_text(c.log);
  EXPECT(strstr(log, "Seccomp:\t2") != NULL, "%s", log);
  EXPECT(strstr(log, "hostname web") == NULL, "uname works: %s", log);
}

static bool write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0) {
    close(fd);
  }
  return written;
}

static void counts_oom_kills(struct pod *pod) {
  char group[160];
  snprintf(group, sizeof group, "/sys/fs/cgroup/memory/%s", strrchr(scratch, '/') + 1);
  char path[200];
  snprintf(path, sizeof path, "%s/memory.limit_in_bytes", group);
  if (access("/sys/fs/cgroup/memory/tasks", F_OK) != 0 || mkdir(group, 0755) != 0 ||
      !write_text(path, "8388608")) {
    rmdir(group);
    printf("   skipped: no memory hierarchy of version 1 for the OOM test\n");
    return;
  }
  container_begin(&c, "oom");
  snprintf(path, sizeof path, "%s/memory.oom_control", group);
  plan_add(&c.builder, OP_OOM_COUNTER, M, "iss", I(0), path, "oom_kill");
  snprintf(path, sizeof path, "%s/memory.failcnt", group);
  plan_add(&c.builder, OP_OOM_COUNTER, M, "iss", I(1), path, "");
  snprintf(path, sizeof path, "/sys/fs/cgroup/memory/memory.failcnt");
  plan_add(&c.builder, OP_OOM_COUNTER, M, "iss", I(2), path, "");
  snprintf(path, sizeof path, "%s/tasks", group);
  plan_add(&c.builder, OP_CGROUP_ENTER, H, "s", path);
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "hoard"));
  const char *record = container_wait(&c);
  EXPECT(strstr(record, "\"exitCode\":137,\"signal\":9,\"oomKills\":1,") != NULL &&
             strstr(record, "\"limitHits\":0,") == NULL &&
             strstr(record, "\"podLimitHits\":0,") != NULL,
         "%s", record);
  for (int i = 0; i < 2000 && rmdir(group) != 0; i++) {
    usleep(1000);
  }
}

// Output without end, read as fast as the disk takes it: the monitor does not grow.
static void stays_small(struct pod *pod) {
  container_begin(&c, "flood");
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "flood"));
  struct stat status = {0};
  while (stat(c.log, &status) != 0 || status.st_size < 32 << 20) {
    usleep(1000);
  }
  long pss = number_after(slurp("/proc/%d/smaps_rollup", c.reply.answer.monitor), "\nPss:");
  printf("   monitor PSS under a flood: %ld KiB\n", pss);
  EXPECT(pss > 0 && pss <= 88, "%ld KiB", pss);
  kill(c.reply.answer.pid, SIGKILL);
  container_wait(&c);
  unlink(c.log);
}

// With nothing to kill the rest by, the drain still ends and the record comes.
static void does_not_wait_for_ever(struct pod *pod) {
  const char *record;
  const char *log = container_run(pod, "holding", LIST("probe", "leave", "5"), &record);
  EXPECT(number_after(record, "\"exitCode\":") == 5, "%s", record);
  EXPECT(strcmp(log, "stdout F left behind\n") == 0, "%s", log);
}

static void refuses_a_link_for_a_log(struct pod *pod) {
  char victim[128];
  snprintf(victim, sizeof victim, "%s/victim", scratch);
  container_begin(&c, "linked");
  if (symlink(victim, c.log) != 0) {
    die("%s", c.log);
  }
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "exit", "0"));
  EXPECT(c.reply.answer.type == ANSWER_FAILED && c.reply.answer.error == ELOOP &&
             c.reply.answer.index == 0,
         "errno %d", c.reply.answer.error);
  EXPECT(access(victim, F_OK) != 0, "the log went through the link");
}

static void pause_fails_clean(struct spawner_client *spawner) {
  static struct builder b;
  plan_begin(&b, KIND_PAUSE, 1);
  plan_add(&b, OP_NAMESPACES, H, "i", I(0x6c020000));
  plan_add(&b, OP_SETNS, P, "ii", I(-1), I(0x20000));
  plan_add(&b, OP_SYSCTL, X, "ss", "kernel/../../etc/passwd", "1");
  plan_add(&b, OP_EXEC_PAUSE, X, "");
  struct reply reply = spawner_call(spawner, &b, NULL, 0);
  EXPECT(reply.answer.type == ANSWER_FAILED && reply.answer.error == EINVAL &&
             reply.answer.index == 2 && reply.answer.stage == X,
         "errno %d at %u", reply.answer.error, reply.answer.index);
  plan_begin(&b, KIND_PAUSE, 1);
  plan_add(&b, OP_NAMESPACES, H, "i", I(0x10000000));
  plan_add(&b, OP_EXEC_PAUSE, X, "");
  reply = spawner_call(spawner, &b, NULL, 0);
  EXPECT(reply.answer.error == EINVAL && reply.answer.index == 0, "errno %d at %u",
         reply.answer.error, reply.answer.index);
}

void test_hostile(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  shows_no_host(&pod);
  filters_calls(&pod);
  counts_oom_kills(&pod);
  stays_small(&pod);
  does_not_wait_for_ever(&pod);
  refuses_a_link_for_a_log(&pod);
  pause_fails_clean(&spawner);
  spawner_stop(&spawner);
  pod_stop(&pod);
}
