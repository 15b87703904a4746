#include "pod.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage P = STAGE_POD;
static const enum plan_stage X = STAGE_PROCESS;

void pod_start(struct pod *pod, struct spawner_client *spawner) {
  static struct builder b;
  plan_begin(&b, KIND_PAUSE, 1);
  plan_add(&b, OP_NAMESPACES, H, "i",
           I(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID));
  plan_add(&b, OP_MOUNT_NEW, H, "isli", I(0), "tmpfs", LIST("source=shm", "mode=1777"), I(0xe));
  plan_add(&b, OP_SETNS, P, "ii", I(-1), I(CLONE_NEWNS));
  plan_add(&b, OP_ATTACH, X, "iisi", I(0), I(-1), "/shm", I(0));
  plan_add(&b, OP_HOSTNAME, X, "s", "web");
  plan_add(&b, OP_SYSCTL, X, "ss", "net.ipv4.ip_unprivileged_port_start", "80");
  plan_add(&b, OP_SYSCTL, X, "ss", "kernel/shm_rmid_forced", "1");
  plan_add(&b, OP_EXEC_PAUSE, X, "");
  pod->spawner = spawner;
  pod->pause = spawner_call(spawner, &b, NULL, 0);
  if (pod->pause.answer.type != ANSWER_STARTED) {
    errno = pod->pause.answer.error;
    die("pause: operation %u failed", pod->pause.answer.index);
  }
}

void pod_stop(struct pod *pod) {
  kill(pod->pause.answer.pid, SIGTERM);
  await_end(pod->pause.pidfd);
  close(pod->pause.pidfd);
}

void container_begin(struct container *c, const char *id) {
  snprintf(c->id, sizeof c->id, "%s", id);
  snprintf(c->log, sizeof c->log, "%s/logs/%s.log", scratch, id);
  snprintf(c->record, sizeof c->record, "%s/exits/%s", scratch, id);
  char directory[80];
  snprintf(directory, sizeof directory, "%s/exits", scratch);
  plan_begin(&c->builder, KIND_CONTAINER, CONTAINER_SLOTS);
  plan_add(&c->builder, OP_LOG, M, "s", c->log);
  plan_add(&c->builder, OP_EXIT_RECORD, M, "ss", directory, id);
}

void container_mounts(struct container *c) {
  struct builder *b = &c->builder;
  char root[80];
  snprintf(root, sizeof root, "%s/root", scratch);
  plan_add(b, OP_OPEN_TREE, H, "iisi", I(1), I(-1), root, I(0));
  plan_add(b, OP_OPEN_TREE, H, "iisi", I(3), I(-1), "/dev/null", I(0));
  plan_add(b, OP_MOUNT_NEW, H, "isli", I(2), "tmpfs", LIST("source=dev", "mode=755"), I(0x2));
  plan_add(b, OP_MKNOD, H, "isiiii", I(2), "null", I(020666), I(0x103), I(0), I(0));
  plan_add(b, OP_MKNOD, H, "isiiii", I(2), "fifo", I(010620), I(0), I(7), I(8));
  plan_add(b, OP_SYMLINK, H, "iss", I(2), "fd", "/proc/self/fd");
  plan_add(b, OP_SETNS, P, "ii", I(0),
           I(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
  plan_add(b, OP_UNSHARE, P, "i", I(CLONE_NEWNS));
  plan_add(b, OP_MOUNT_NEW, P, "isli", I(4), "devpts",
           LIST("newinstance", "ptmxmode=0666", "mode=0620"), I(0xa));
  plan_add(b, OP_OPEN_TREE, P, "iisi", I(5), I(-1), "/shm", I(0));
  plan_add(b, OP_ROOT, P, "ii", I(1), I(-1));
  plan_add(b, OP_ATTACH, P, "iisi", I(2), I(-2), "dev", I(5));
  plan_add(b, OP_ATTACH, P, "iisi", I(4), I(-2), "dev/pts", I(1));
  plan_add(b, OP_ATTACH, P, "iisi", I(5), I(-2), "dev/shm", I(1));
  plan_add(b, OP_NULL_DEVICE, P, "i", I(3));
  plan_add(b, OP_PIVOT, P, "");
  plan_add(b, OP_SETNS, P, "ii", I(0), I(CLONE_NEWPID));
  plan_add(b, OP_MOUNT_PROC, X, "i", I(0xe));
}

void container_start(struct container *c, struct pod *pod, const char *const *argv) {
  plan_add(&c->builder, OP_EXEC, X, "ll", argv, LIST("PATH=/nowhere:/bin", "GREETING=hello"));
  c->reply = spawner_call(pod->spawner, &c->builder, &pod->pause.pidfd, 1);
}

const char *container_wait(struct container *c) {
  if (c->reply.answer.type != ANSWER_STARTED) {
    errno = c->reply.answer.error;
    die("container %s: operation %u failed", c->id, c->reply.answer.index);
  }
  await_end(c->reply.pidfd);
  close(c->reply.pidfd);
  if (!await_path(c->record, 20000)) {
    die("container %s: no exit record", c->id);
  }
  return slurp("%s", c->record);
}

const char *container_run(struct pod *pod, const char *id, const char *const *argv,
                          const char **record) {
  static struct container c;
  container_begin(&c, id);
  container_mounts(&c);
  container_start(&c, pod, argv);
  const char *text = container_wait(&c);
  if (record != NULL) {
    *record = text;
  }
  return log_text(c.log);
}

// 2026-01-02T03:04:05.123456789Z and a space.
static bool is_time(const char *text) {
  static const char form[] = "0000-00-00T00:00:00.000000000Z ";
  for (size_t i = 0; i < sizeof form - 1; i++) {
    if (form[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) {
      return false;
    }
  }
  return true;
}

char *log_text(const char *path) {
  char *text = slurp("%s", path);
  char *to = text;
  for (const char *from = text; *from != '\0';) {
    const char *end = strchr(from, '\n');
    EXPECT(end != NULL, "%s ends inside a record", path);
    if (end == NULL) {
      break;
    }
    bool dated = is_time(from);
    EXPECT(dated, "%s: a record without a time: %.60s", path, from);
    from += dated ? 31 : 0;
    memmove(to, from, (size_t)(end + 1 - from));
    to += end + 1 - from;
    from = end + 1;
  }
  *to = '\0';
  return text;
}

static const char *const HIERARCHIES[2][3] = {
    {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL},
    {"/sys/fs/cgroup/freezer", NULL, NULL},
};
static char cgroups[2][128];

const char *test_cgroup(bool freezer) {
  char *path = cgroups[freezer];
  for (int i = 0; path[0] == '\0' && HIERARCHIES[freezer][i] != NULL; i++) {
    char marker[128];
    snprintf(marker, sizeof marker, "%s/%s", HIERARCHIES[freezer][i],
             freezer ? "cgroup.clone_children" : "cgroup.controllers");
    if (access(marker, F_OK) != 0) {
      continue;
    }
    snprintf(path, sizeof cgroups[0], "%s/%s", HIERARCHIES[freezer][i], strrchr(scratch, '/') + 1);
    if (mkdir(path, 0755) != 0) {
      path[0] = '\0';
    }
  }
  return path[0] == '\0' ? NULL : path;
}

void remove_test_cgroups(void) {
  for (int i = 0; i < 2; i++) {
    for (int j = 0; HIERARCHIES[i][j] != NULL; j++) {
      char path[128];
      snprintf(path, sizeof path, "%s/%s", HIERARCHIES[i][j], strrchr(scratch, '/') + 1);
      for (int attempt = 0; attempt < 5000 && rmdir(path) != 0 && errno == EBUSY; attempt++) {
        usleep(1000);
      }
      EXPECT(access(path, F_OK) != 0, "%s can not be removed", path);
    }
  }
}
