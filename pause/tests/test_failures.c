// What can not be started: the operation is named, nothing is left. And requests that make no sense.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pod.h"

static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage P = STAGE_POD;
static const enum plan_stage X = STAGE_PROCESS;

static struct container c;

static void expect_failed(const struct reply *reply, int error, uint32_t index,
                          enum plan_stage stage, const char *what) {
  EXPECT(reply->answer.type == ANSWER_FAILED && reply->answer.error == error &&
             reply->answer.index == index && reply->answer.stage == stage && reply->pidfd < 0,
         "%s: type %u errno %d index %u stage %u", what, reply->answer.type, reply->answer.error,
         reply->answer.index, reply->answer.stage);
}

// Starts a container whose last operation but the exec is the one that fails.
static void expect_last_fails(struct pod *pod, int error, enum plan_stage stage, const char *what) {
  uint32_t index = c.builder.operations - 1;
  container_start(&c, pod, LIST("probe", "exit", "0"));
  expect_failed(&c.reply, error, index, stage, what);
  EXPECT(access(c.record, F_OK) != 0, "%s: an exit record", what);
}

static void begin(void) {
  container_begin(&c, "failing");
  container_mounts(&c);
}

static void link_in_root(const char *target, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/root/%s", scratch, name);
  unlink(path);
  rmdir(path);
  if (target != NULL && symlink(target, path) != 0) {
    die("%s", path);
  }
}

static void names_the_operation(struct pod *pod) {
  begin();
  uint32_t index = c.builder.operations;
  container_start(&c, pod, LIST("/bin/missing"));
  expect_failed(&c.reply, ENOENT, index, X, "missing program");
  begin();
  container_start(&c, pod, LIST("/etc"));
  expect_failed(&c.reply, EACCES, index, X, "directory as program");
  begin();
  container_start(&c, pod, LIST(""));
  expect_failed(&c.reply, ENOENT, index, X, "empty name");

  begin();
  plan_add(&c.builder, OP_CHDIR, X, "s", "/missing");
  expect_last_fails(pod, ENOENT, X, "working directory");
  // The root the stage came with, the status channel, the masks: none can become the directory.
  for (int fd = 3; fd < 12; fd++) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    begin();
    plan_add(&c.builder, OP_CHDIR, X, "s", path);
    uint32_t chdir_index = c.builder.operations - 1;
    container_start(&c, pod, LIST("probe", "exit", "0"));
    EXPECT(c.reply.answer.type == ANSWER_FAILED && c.reply.answer.index == chdir_index, "%s: type %u",
           path, c.reply.answer.type);
  }
  begin();
  plan_add(&c.builder, OP_SECCOMP, X, "ii", I(0), I(0));
  expect_last_fails(pod, EINVAL, X, "a pidfd as a filter");
  begin();
  plan_add(&c.builder, OP_SECCOMP, X, "ii", I(7), I(0));
  expect_last_fails(pod, EBADF, X, "an empty slot");
  begin();
  plan_add(&c.builder, OP_IDS, X, "ii", I(-1), I(0));
  expect_last_fails(pod, EINVAL, X, "no user");

  container_begin(&c, "failing");
  plan_add(&c.builder, OP_OPEN, H, "isii", I(1), "/no/such/file", I(O_PATH), I(0));
  expect_last_fails(pod, ENOENT, H, "missing file");
  container_begin(&c, "failing");
  plan_add(&c.builder, OP_OPEN, H, "isii", I(1), "/dev/null", I(O_PATH), I(1));
  expect_last_fails(pod, ENOTDIR, H, "a file for a directory");
  container_begin(&c, "failing");
  plan_add(&c.builder, OP_CGROUP_ENTER, H, "s", "/sys/fs/cgroup/no/such/tasks");
  expect_last_fails(pod, ENOENT, H, "missing cgroup");
  plan_begin(&c.builder, KIND_CONTAINER, 1);
  plan_add(&c.builder, OP_CGROUP_INTO, H, "s", "/tmp");
  expect_last_fails(pod, EBADF, H, "a directory that is no cgroup");
  plan_begin(&c.builder, KIND_CONTAINER, 1);
  plan_add(&c.builder, OP_CGROUP_INTO, H, "s", "/no/such/cgroup");
  expect_last_fails(pod, ENOENT, H, "no cgroup to be born in");
  plan_begin(&c.builder, KIND_CONTAINER, 1);
  plan_add(&c.builder, OP_LOG, STAGE_MONITOR, "s", "/no/such/directory/log");
  expect_last_fails(pod, ENOENT, STAGE_MONITOR, "no directory for the log");
}

static void refuses_links(struct pod *pod) {
  link_in_root("/etc", "proc");
  container_begin(&c, "failing");
  container_mounts(&c);
  expect_last_fails(pod, ELOOP, X, "/proc is a link");
  link_in_root(NULL, "proc");
  char dev[128];
  snprintf(dev, sizeof dev, "%s/root/dev", scratch);
  char kept[128];
  snprintf(kept, sizeof kept, "%s/root/dev-kept", scratch);
  if (rename(dev, kept) != 0) {
    die("rename");
  }
  link_in_root("/etc", "dev");
  container_begin(&c, "failing");
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "exit", "0"));
  EXPECT(c.reply.answer.type == ANSWER_FAILED && c.reply.answer.error == ELOOP, "errno %d",
         c.reply.answer.error);
  link_in_root(NULL, "dev");
  rename(kept, dev);
}

// Targets are made inside the root, wherever links point.
static void makes_targets_inside(struct pod *pod) {
  link_in_root("../../../../run/resolve/stub.conf", "etc/resolv.conf");
  link_in_root("/var/elsewhere", "etc/absolute");
  container_begin(&c, "targets");
  char file[128];
  snprintf(file, sizeof file, "%s/mounted", scratch);
  int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, "content", 7) != 7) {
    die("%s", file);
  }
  close(fd);
  plan_add(&c.builder, OP_OPEN_TREE, H, "iisi", I(6), I(-1), file, I(0));
  plan_add(&c.builder, OP_MOUNT_NEW, H, "isli", I(7), "tmpfs", LIST(), I(0));
  plan_add(&c.builder, OP_MKDIR, H, "isi", I(7), "inside", I(0700));
  container_mounts(&c);
  plan_add(&c.builder, OP_ATTACH, X, "iisi", I(6), I(-2), "/etc/resolv.conf", I(2));
  plan_add(&c.builder, OP_ATTACH, X, "iisi", I(7), I(-1), "etc/absolute/a/b", I(1));
  container_start(&c, pod, LIST("probe", "show", "/run/resolve/stub.conf", "/etc/resolv.conf"));
  container_wait(&c);
  char *log = log_text(c.log);
  EXPECT(strstr(log, "stub.conf: content") != NULL && strstr(log, "resolv.conf: content") != NULL,
         "%s", log);
  char path[160];
  struct stat status;
  snprintf(path, sizeof path, "%s/root/var/elsewhere/a/b", scratch);
  EXPECT(stat(path, &status) == 0 && S_ISDIR(status.st_mode), "%s is missing", path);
  EXPECT(access("/run/resolve", F_OK) != 0 && access("/var/elsewhere", F_OK) != 0,
         "a target was made on the host");
}

static int count_children(pid_t pid) {
  char *text = slurp("/proc/%d/task/%d/children", pid, pid);
  int count = 0;
  for (; *text != '\0'; text++) {
    count += *text == ' ';
  }
  return count;
}

static void answers_nonsense(struct spawner_client *spawner) {
  struct request request = {.magic = PEAP_MAGIC, .version = PROTOCOL_VERSION, .id = 77};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct reply reply;
  spawner_send_raw(spawner, &request, sizeof request, NULL, 0);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "no plan");
  EXPECT(reply.answer.id == 77, "id %lu", (unsigned long)reply.answer.id);
  spawner_send_raw(spawner, &request, sizeof request, &null, 1);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "a device for a plan");
  spawner_send_raw(spawner, "short", 5, &null, 1);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "short");
  spawner_send_raw(spawner, "", 0, NULL, 0);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "empty");
  static char large[4096];
  spawner_send_raw(spawner, large, sizeof large, NULL, 0);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "large");
  request.version = 2;
  spawner_send_raw(spawner, &request, sizeof request, &null, 1);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "version");
  request.version = PROTOCOL_VERSION;
  int many[253];
  for (int i = 0; i < 253; i++) {
    many[i] = null;
  }
  spawner_send_raw(spawner, &request, sizeof request, many, 253);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "253 descriptors");
  many[0] = sealed_memfd("plan", "not a plan, though long enough", 30);
  spawner_send_raw(spawner, &request, sizeof request, many, 1);
  reply = spawner_receive(spawner);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "no plan in the memfd");
  close(many[0]);
  static struct builder b;
  plan_begin(&b, KIND_PAUSE, 1);
  plan_add(&b, OP_EXEC_PAUSE, X, "");
  plan_end(&b);
  many[0] = null;
  many[1] = null;
  reply = spawner_call(spawner, &b, many, 2);
  expect_failed(&reply, EPROTO, NO_OPERATION, 0, "more descriptors than slots");
  close(null);
}

// Hundreds of requests before the first answer is read.
static void survives_a_storm(struct spawner_client *spawner) {
  static struct builder b;
  enum { REQUESTS = 600 };
  for (uint64_t id = 1; id <= REQUESTS; id++) {
    plan_begin(&b, KIND_PAUSE, 0);
    plan_add(&b, OP_NAMESPACES, H, "i", I(CLONE_NEWUTS | CLONE_NEWPID));
    plan_add(&b, OP_SETNS, P, "ii", I(-1), I(CLONE_NEWNS));
    plan_add(&b, OP_EXEC_PAUSE, X, "");
    if (id % 3 == 0) {
      b.bytes[b.length - 7] = 99;  // the last operation's stage: nonsense
    }
    spawner_send(spawner, id, &b, NULL, 0);
  }
  static char seen[REQUESTS + 1];
  int started = 0;
  int failed = 0;
  for (int i = 0; i < REQUESTS; i++) {
    struct reply reply = spawner_receive(spawner);
    uint64_t id = reply.answer.id;
    EXPECT(id >= 1 && id <= REQUESTS && !seen[id], "id %lu", (unsigned long)id);
    seen[id % (REQUESTS + 1)] = 1;
    if (reply.answer.type == ANSWER_STARTED) {
      started++;
      kill(reply.answer.pid, SIGTERM);
      await_end(reply.pidfd);
      close(reply.pidfd);
    } else {
      failed++;
      EXPECT(id % 3 == 0 && reply.answer.error == EPROTO, "id %lu errno %d", (unsigned long)id,
             reply.answer.error);
    }
  }
  EXPECT(started == REQUESTS - REQUESTS / 3 && failed == REQUESTS / 3, "%d and %d", started, failed);
  for (int i = 0; i < 5000 && count_children(spawner->pid) > 0; i++) {
    usleep(1000);
  }
  EXPECT(count_children(spawner->pid) == 0, "%d children are left", count_children(spawner->pid));
}

void test_failures(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  names_the_operation(&pod);
  refuses_links(&pod);
  makes_targets_inside(&pod);
  answers_nonsense(&spawner);
  for (int i = 0; i < 5000 && count_children(spawner.pid) > 1; i++) {
    usleep(1000);
  }
  EXPECT(count_children(spawner.pid) == 1, "%d children, pause is one",
         count_children(spawner.pid));
  pod_stop(&pod);
  survives_a_storm(&spawner);
  char *fds = slurp("/proc/%d/status", spawner.pid);
  EXPECT(number_after(fds, "FDSize:") <= 256, "%s", fds);
  int status = spawner_stop(&spawner);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}
