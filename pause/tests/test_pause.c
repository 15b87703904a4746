// pause by itself and as PID 1 of a pod.
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

// `started` comes with the exec; this waits for what follows it.
static void await_sleep(int pid) {
  while (strstr(slurp("/proc/%d/status", pid), "State:\tS") == NULL) {
    usleep(1000);
  }
}

static void ends_with_0(const char *path, int signal) {
  fflush(NULL);
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) {
    die("pipe");
  }
  pid_t pid = fork();
  if (pid == 0) {
    execl(path, "pause", (char *)NULL);
    _exit(126);
  }
  close(ready[1]);
  char byte;
  if (read(ready[0], &byte, 1) != 0) {
    die("read");
  }
  close(ready[0]);
  await_sleep(pid);
  kill(pid, SIGHUP);
  kill(pid, SIGCHLD);
  kill(pid, signal);
  int status;
  waitpid(pid, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x after signal %d", status, signal);
}

void test_pause_program(const char *native) {
  char path[512];
  snprintf(path, sizeof path, "%s/pause", native);
  ends_with_0(path, SIGTERM);
  ends_with_0(path, SIGINT);
  struct stat status;
  EXPECT(stat(path, &status) == 0 && status.st_size <= 64 << 10, "%ld bytes", (long)status.st_size);
  char joiner[512];
  snprintf(joiner, sizeof joiner, "%s/joiner", native);
  struct stat joiner_status;
  stat(joiner, &joiner_status);
  printf("   pause %ld bytes, joiner %ld bytes\n", (long)status.st_size,
         (long)joiner_status.st_size);
}

static void expect_link(int pid, const char *name, const char *prefix) {
  char path[64];
  char target[256] = "";
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  ssize_t length = readlink(path, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = '\0';
  EXPECT(strncmp(target, prefix, strlen(prefix)) == 0, "%s is %s", path, target);
}

static bool same_namespace(int pid, const char *name) {
  char path[64];
  struct stat theirs;
  struct stat ours;
  snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
  if (stat(path, &theirs) != 0) {
    die("%s", path);
  }
  snprintf(path, sizeof path, "/proc/self/ns/%s", name);
  return stat(path, &ours) == 0 && ours.st_ino == theirs.st_ino;
}

static void check_pause(const struct pod *pod) {
  int pid = pod->pause.answer.pid;
  EXPECT(strstr(slurp("/proc/%d/status", pid), "CapPrm:\t0000000000000000") != NULL,
         "started with capabilities");
  await_sleep(pid);
  static const char *const own[] = {"mnt", "net", "ipc", "uts", "pid"};
  for (size_t i = 0; i < 5; i++) {
    EXPECT(!same_namespace(pid, own[i]), "%s namespace is the host's", own[i]);
  }
  expect_link(pid, "exe", "/memfd:pause");
  EXPECT(strcmp(slurp("/proc/%d/comm", pid), "pause\n") == 0, "%s", slurp("/proc/%d/comm", pid));
  char *status = slurp("/proc/%d/status", pid);
  EXPECT(strstr(status, "CapPrm:\t0000000000000000") != NULL, "%s", status);
  EXPECT(strstr(status, "CapEff:\t0000000000000000") != NULL, "%s", status);
  EXPECT(strstr(status, "NoNewPrivs:\t1") != NULL, "%s", status);
  EXPECT(number_after(status, "VmRSS:") <= 100, "%ld KiB", number_after(status, "VmRSS:"));
  printf("   pause resident: %ld KiB\n", number_after(status, "VmRSS:"));
  EXPECT(number_after(status, "FDSize:") >= 0, "%s", status);
  char command[128];
  snprintf(command, sizeof command, "ls -A /proc/%d/fd", pid);
  FILE *list = popen(command, "re");
  char line[64];
  EXPECT(fgets(line, sizeof line, list) == NULL, "a descriptor: %s", line);
  pclose(list);
  snprintf(command, sizeof command, "ls -A /proc/%d/root", pid);
  list = popen(command, "re");
  char names[128];
  size_t length = fread(names, 1, sizeof names - 1, list);
  names[length] = '\0';
  EXPECT(strcmp(names, "root\nshm\n") == 0, "root holds %s", names);
  pclose(list);
  char *mounts = slurp("/proc/%d/mountinfo", pid);
  EXPECT(strstr(mounts, " / / ro") != NULL && strstr(mounts, " /shm ") != NULL, "%s", mounts);
  EXPECT(pod->pause.answer.pid_start == process_start(open("/proc", O_PATH | O_CLOEXEC), pid),
         "start time %lu", (unsigned long)pod->pause.answer.pid_start);
}

void test_pods(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  check_pause(&pod);
  const char *log = container_run(&pod, "storm", LIST("probe", "storm", "10000"), NULL);
  EXPECT(strcmp(log, "stdout F orphans 10000 zombies 0\n") == 0, "%.200s", log);
  log = container_run(&pod, "sysctl",
                      LIST("probe", "show", "/proc/sys/net/ipv4/ip_unprivileged_port_start",
                           "/proc/sys/kernel/shm_rmid_forced"),
                      NULL);
  EXPECT(strstr(log, "port_start: 80\n") != NULL && strstr(log, "forced: 1\n") != NULL, "%s", log);

  // A pause in the host's PID namespace is no PID 1 and ends all the same.
  static struct builder b;
  plan_begin(&b, KIND_PAUSE, 0);
  plan_add(&b, OP_NAMESPACES, STAGE_HOST, "i", I(CLONE_NEWIPC));
  plan_add(&b, OP_SETNS, STAGE_POD, "ii", I(-1), I(CLONE_NEWNS));
  plan_add(&b, OP_EXEC_PAUSE, STAGE_PROCESS, "");
  struct reply host = spawner_call(&spawner, &b, NULL, 0);
  EXPECT(host.answer.type == ANSWER_STARTED, "errno %d", host.answer.error);
  EXPECT(same_namespace(host.answer.pid, "pid"), "own PID namespace");
  // At once: a SIGTERM that comes before its first instruction counts.
  kill(host.answer.pid, SIGTERM);
  await_end(host.pidfd);

  // What the spawner started outlives it.
  int status = spawner_stop(&spawner);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "spawner status %x", status);
  EXPECT(kill(pod.pause.answer.pid, 0) == 0, "pause ended with the spawner");
  pod_stop(&pod);
}
