// Processes beside a container's main process.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pod.h"

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage P = STAGE_POD;
static const enum plan_stage X = STAGE_PROCESS;

#define ALL_NAMESPACES \
  I(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID)

static struct container c;
static struct builder b;

// Slot 0 is the container's main process, 1 to 3 are stdin, stdout, stderr.
static void exec_begin(const char *cgroup, int64_t in) {
  char path[256];
  plan_begin(&b, KIND_EXEC, 4);
  if (cgroup != NULL) {
    snprintf(path, sizeof path, "%s/cgroup.kill", cgroup);
    plan_add(&b, OP_KILL_CGROUP, M, "is", I(1), path);
  }
  plan_add(&b, OP_STDIO, M, "iii", in, I(2), I(3));
  if (cgroup != NULL) {
    plan_add(&b, OP_CGROUP_INTO, H, "s", cgroup);
  }
  plan_add(&b, OP_SETNS, P, "ii", I(0), ALL_NAMESPACES);
}

struct streams {
  int ours[3];
  int theirs[3];
};

static void open_streams(struct streams *streams) {
  for (int i = 0; i < 3; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      die("pipe");
    }
    streams->ours[i] = ends[i == 0 ? 1 : 0];
    streams->theirs[i] = ends[i == 0 ? 0 : 1];
  }
}

static struct reply exec_call(struct spawner_client *spawner, struct streams *streams) {
  int descriptors[] = {c.reply.pidfd, streams->theirs[0], streams->theirs[1], streams->theirs[2]};
  struct reply reply = spawner_call(spawner, &b, descriptors, 4);
  for (int i = 0; i < 3; i++) {
    close(streams->theirs[i]);
  }
  return reply;
}

static char *drain(int fd) {
  static char text[64 << 10];
  size_t length = 0;
  ssize_t part;
  while ((part = read(fd, text + length, sizeof text - 1 - length)) > 0) {
    length += (size_t)part;
  }
  text[length] = '\0';
  return text;
}

static void close_ours(struct streams *streams) {
  for (int i = 0; i < 3; i++) {
    if (streams->ours[i] >= 0) {
      close(streams->ours[i]);
    }
  }
}

static void runs_in_the_container(struct spawner_client *spawner, const char *cgroup) {
  struct streams streams;
  open_streams(&streams);
  exec_begin(cgroup, 1);
  plan_add(&b, OP_GROUPS, X, "n", (const int64_t[]){9}, (size_t)1);
  plan_add(&b, OP_IDS, X, "ii", I(1000), I(1000));
  plan_add(&b, OP_CHDIR, X, "s", "/etc");
  plan_add(&b, OP_EXEC, X, "ll", LIST("probe", "cat"), LIST("PATH=/bin"));
  struct reply started = exec_call(spawner, &streams);
  EXPECT(started.answer.type == ANSWER_STARTED && started.pidfd >= 0, "errno %d at %u",
         started.answer.error, started.answer.index);
  EXPECT(started.answer.pid > 0 && started.answer.monitor > 0 && started.answer.pid_start > 0,
         "pid %d", started.answer.pid);
  if (cgroup != NULL) {
    char *procs = slurp("%s/cgroup.procs", cgroup);
    EXPECT(atoi(procs) == started.answer.pid, "the cgroup holds %s", procs);
  }
  char cwd[64];
  snprintf(cwd, sizeof cwd, "/proc/%d/cwd", started.answer.pid);
  char target[128] = "";
  EXPECT(readlink(cwd, target, sizeof target - 1) > 0 && strcmp(target, "/etc") == 0, "%s", target);
  if (write(streams.ours[0], "there and back\n", 15) != 15) {
    die("write");
  }
  close(streams.ours[0]);
  streams.ours[0] = -1;
  EXPECT(strcmp(drain(streams.ours[1]), "there and back\n") == 0, "another text");
  struct reply exited = spawner_receive(spawner);
  EXPECT(exited.answer.type == ANSWER_EXITED && exited.answer.status == 0, "type %u status %x",
         exited.answer.type, exited.answer.status);
  EXPECT(exited.answer.id == started.answer.id && exited.answer.pid == started.answer.pid, "pid %d",
         exited.answer.pid);
  close(started.pidfd);
  close_ours(&streams);
}

static void tells_the_status(struct spawner_client *spawner) {
  struct streams streams;
  open_streams(&streams);
  exec_begin(NULL, -1);
  plan_add(&b, OP_EXEC, X, "ll", LIST("/bin/probe", "exit", "17"), LIST());
  struct reply started = exec_call(spawner, &streams);
  struct reply exited = spawner_receive(spawner);
  EXPECT(started.answer.type == ANSWER_STARTED && exited.answer.type == ANSWER_EXITED, "types");
  EXPECT(WIFEXITED(exited.answer.status) && WEXITSTATUS(exited.answer.status) == 17, "status %x",
         exited.answer.status);
  close(started.pidfd);
  close_ours(&streams);

  open_streams(&streams);
  exec_begin(NULL, -1);
  plan_add(&b, OP_EXEC, X, "ll", LIST("probe", "fds"), LIST("PATH=/bin"));
  started = exec_call(spawner, &streams);
  char *text = drain(streams.ours[1]);
  EXPECT(strcmp(text, "fd 0 /dev/null\nfd 1 pipe\nfd 2 pipe\n") == 0, "%s", text);
  spawner_receive(spawner);
  close(started.pidfd);
  close_ours(&streams);

  open_streams(&streams);
  exec_begin(NULL, -1);
  plan_add(&b, OP_EXEC, X, "ll", LIST("no-such-program"), LIST("PATH=/bin"));
  struct reply failed = exec_call(spawner, &streams);
  EXPECT(failed.answer.type == ANSWER_FAILED && failed.answer.error == ENOENT &&
             failed.answer.index == 2 && failed.answer.stage == STAGE_PROCESS,
         "type %u errno %d index %u", failed.answer.type, failed.answer.error, failed.answer.index);
  close_ours(&streams);
}

// The daemon holds the terminal of an exec.
static void has_a_terminal(struct spawner_client *spawner) {
  struct streams streams;
  open_streams(&streams);
  exec_begin(NULL, -1);
  plan_add(&b, OP_TTY, X, "ii", I(10), I(20));
  plan_add(&b, OP_EXEC, X, "ll", LIST("probe", "cat"), LIST("PATH=/bin"));
  struct reply started = exec_call(spawner, &streams);
  EXPECT(started.answer.type == ANSWER_STARTED && started.terminal >= 0, "errno %d at %u",
         started.answer.error, started.answer.index);
  if (write(started.terminal, "typed\n\4", 7) != 7) {
    die("write");
  }
  struct reply exited = spawner_receive(spawner);
  EXPECT(exited.answer.type == ANSWER_EXITED && exited.answer.status == 0, "status %x",
         exited.answer.status);
  char *text = drain(started.terminal);
  EXPECT(strcmp(text, "typed\r\ntyped\r\n") == 0, "\"%s\"", text);
  close(started.terminal);
  close(started.pidfd);
  close_ours(&streams);
}

// A daemon that goes away takes its exec with it, and all that it started.
static void ends_with_the_daemon(const char *native, const char *cgroup) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct streams streams;
  open_streams(&streams);
  exec_begin(cgroup, -2);
  plan_add(&b, OP_EXEC, X, "ll", LIST("probe", "wait"), LIST("PATH=/bin"));
  struct reply started = exec_call(&spawner, &streams);
  EXPECT(started.answer.type == ANSWER_STARTED, "errno %d", started.answer.error);
  int monitor = started.answer.monitor;
  spawner_stop(&spawner);
  await_end(started.pidfd);
  close(started.pidfd);
  for (int i = 0; i < 10000 && kill(monitor, 0) == 0; i++) {
    waitpid(monitor, NULL, WNOHANG);  // it may be ours by now
    usleep(1000);
  }
  EXPECT(kill(monitor, 0) != 0, "the exec monitor %d is still there", monitor);
  close_ours(&streams);
}

void test_execs(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  container_begin(&c, "exec-main");
  container_mounts(&c);
  container_start(&c, &pod, LIST("probe", "wait"));
  const char *cgroup = test_cgroup(false);
  runs_in_the_container(&spawner, cgroup);
  tells_the_status(&spawner);
  has_a_terminal(&spawner);
  ends_with_the_daemon(native, cgroup);
  EXPECT(kill(c.reply.answer.pid, 0) == 0, "the container ended with an exec");
  kill(c.reply.answer.pid, SIGKILL);
  container_wait(&c);
  spawner_stop(&spawner);
  pod_stop(&pod);
}
