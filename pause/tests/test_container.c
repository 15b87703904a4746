// Containers: what they see, what is logged, what is left when they end.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pod.h"

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage H = STAGE_HOST;
static const enum plan_stage X = STAGE_PROCESS;

static struct container c;

static void expect_lines(const char *text, const char *const *lines) {
  for (; *lines != NULL; lines++) {
    EXPECT(strstr(text, *lines) != NULL, "\"%s\" is not in:\n%s", *lines, text);
  }
}

static void sees_three_descriptors(struct pod *pod) {
  const char *record;
  const char *log = container_run(pod, "fds", LIST("probe", "fds"), &record);
  EXPECT(strcmp(log, "stdout F fd 0 /dev/null\nstdout F fd 1 pipe\nstdout F fd 2 pipe\n") == 0,
         "%s", log);
  EXPECT(number_after(record, "\"exitCode\":") == 0, "%s", record);
  EXPECT(number_after(record, "\"signal\":") == 0, "%s", record);
  static const char head[] = "{\"version\":1,\"id\":\"fds\",\"pid\":";
  EXPECT(strncmp(record, head, sizeof head - 1) == 0, "%s", record);
  EXPECT(strstr(record, ",\"lostRecords\":0}\n") != NULL, "%s", record);
  char *end;
  uint64_t started = strtoull(strstr(record, "\"startedAt\":") + 12, &end, 10);
  uint64_t finished = strtoull(strstr(record, "\"finishedAt\":") + 13, &end, 10);
  EXPECT(started > 1700000000000000000u && finished > started - 1000000000u, "%s", record);
}

static void logs_as_cri(struct pod *pod) {
  const char *log = container_run(pod, "lines", LIST("probe", "lines"), NULL);
  static char expected[128 << 10];
  char a[16385];
  char b[16385];
  char cc[16385];
  memset(a, 'a', 16384);
  memset(b, 'b', 16384);
  memset(cc, 'c', 16384);
  a[16384] = b[16384] = cc[16384] = '\0';
  snprintf(expected, sizeof expected,
           "stdout F first\nstdout F \nstdout F slow writer\nstderr F to stderr\nstdout F %s\n"
           "stdout P %s\nstdout F b\nstdout P %s\nstdout F %s\nstdout F no newline at the end\n",
           a, b, cc, cc);
  EXPECT(strcmp(log, expected) == 0, "the log is\n%.300s\n", log);
}

static void tells_exit(struct pod *pod) {
  const char *record;
  container_run(pod, "code", LIST("/bin/probe", "exit", "42"), &record);
  EXPECT(strstr(record, "\"exitCode\":42,\"signal\":0,") != NULL, "%s", record);
  container_run(pod, "signal", LIST("/bin/probe", "kill", "9"), &record);
  EXPECT(strstr(record, "\"exitCode\":137,\"signal\":9,") != NULL, "%s", record);
}

static void has_identity(struct pod *pod) {
  container_begin(&c, "identity");
  container_mounts(&c);
  struct builder *b = &c.builder;
  plan_add(b, OP_MKDIR, X, "isi", I(-1), "/made/for/work", I(01777));
  plan_add(b, OP_RLIMIT, X, "iii", I(7), I(256), I(512));
  plan_add(b, OP_RLIMIT, X, "iii", I(7), I(100), I(1 << 30));
  plan_add(b, OP_UMASK, X, "i", I(027));
  plan_add(b, OP_GROUPS, X, "n", (const int64_t[]){5, 1234}, (size_t)2);
  plan_add(b, OP_IDS, X, "ii", I(1000), I(2147483649));
  plan_add(b, OP_CAPABILITIES, X, "iiiii", DOCKER_CAPABILITIES, DOCKER_CAPABILITIES, I(0), I(0),
           I(0));
  plan_add(b, OP_CHDIR, X, "s", "/made/for/work");
  plan_add(b, OP_NO_NEW_PRIVS, X, "");
  container_start(&c, pod, LIST("probe", "status"));
  container_wait(&c);
  expect_lines(log_text(c.log),
               LIST("Uid:\t1000\t1000\t1000\t1000", "Gid:\t2147483649\t2147483649",
                    "Groups:\t5 1234", "Umask:\t0027", "CapPrm:\t0000000000000000",
                    "CapBnd:\t00000000a80425fb", "CapEff:\t0000000000000000",
                    "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
                    "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
                    "cwd /made/for/work", "hostname web", "dumpable 1", "session 1", "env hello"));

  container_begin(&c, "ambient");
  container_mounts(&c);
  plan_add(b, OP_IDS, X, "ii", I(1000), I(1000));
  // Bits that no kernel knows are left out.
  plan_add(b, OP_CAPABILITIES, X, "iiiii", I(0x400) | I(1) << 62, I(0x400) | I(1) << 62, I(0x400),
           I(0x400), I(0x400));
  container_start(&c, pod, LIST("probe", "status"));
  container_wait(&c);
  expect_lines(log_text(c.log), LIST("CapEff:\t0000000000000400", "CapBnd:\t0000000000000400",
                                     "CapAmb:\t0000000000000400", "Umask:\t0022"));
  container_begin(&c, "root");
  container_mounts(&c);
  plan_add(b, OP_CAPABILITIES, X, "iiiii", DOCKER_CAPABILITIES, DOCKER_CAPABILITIES,
           DOCKER_CAPABILITIES, I(0), I(0));
  container_start(&c, pod, LIST("probe", "status"));
  container_wait(&c);
  expect_lines(log_text(c.log), LIST("CapEff:\t00000000a80425fb", "CapBnd:\t00000000a80425fb"));
}

static void covers_proc(struct pod *pod) {
  container_begin(&c, "covers");
  container_mounts(&c);
  plan_add(&c.builder, OP_MASK, X, "s", "/proc/version");
  plan_add(&c.builder, OP_MASK, X, "s", "/proc/keys");
  plan_add(&c.builder, OP_MASK, X, "s", "/proc/no-such-thing");
  plan_add(&c.builder, OP_MASK, X, "s", "/proc/scsi");
  plan_add(&c.builder, OP_MASK, X, "s", "/proc/fs");
  plan_add(&c.builder, OP_READONLY, X, "s", "/proc/sys");
  plan_add(&c.builder, OP_READONLY, X, "s", "/proc/no-such-thing");
  container_start(&c, pod,
                  LIST("probe", "poke", "/proc/version", "/proc/keys", "/proc/scsi", "/proc/fs",
                       "/proc/sys/kernel/hostname", "/dev/null"));
  container_wait(&c);
  expect_lines(log_text(c.log),
               LIST("/proc/version: device write=yes chmod=Read-only file system",
                    "/proc/keys: device write=yes chmod=Read-only file system",
                    "/proc/fs: dir write=Is a directory chmod=Read-only file system",
                    "/proc/sys/kernel/hostname: file write=Read-only file system",
                    "/dev/null: device write=yes chmod=yes"));
}

// Neighbours are seen, by name, and nothing else of the host.
static void shares_the_pod(struct pod *pod) {
  static struct container other;
  container_begin(&other, "neighbour");
  container_mounts(&other);
  container_start(&other, pod, LIST("probe", "wait"));
  const char *log = container_run(pod, "processes", LIST("probe", "processes"), NULL);
  EXPECT(strstr(log, "/proc/1/comm: pause\n") != NULL, "%s", log);
  EXPECT(strstr(log, "joiner") == NULL, "%s", log);
  EXPECT(strstr(log, "comm: probe\n") != NULL, "%s", log);
  kill(other.reply.answer.pid, SIGKILL);
  container_wait(&other);
}

// What the main process leaves behind ends with it, though it ignores signals and holds the pipes.
static void kills_the_rest(struct pod *pod, bool freezer) {
  const char *cgroup = test_cgroup(freezer);
  if (cgroup == NULL) {
    printf("   skipped: no %s hierarchy for the left-over test\n", freezer ? "freezer" : "unified");
    return;
  }
  char path[256];
  snprintf(path, sizeof path, "%s%s", cgroup, freezer ? "" : "/cgroup.kill");
  char procs[256];
  snprintf(procs, sizeof procs, "%s/%s", cgroup, freezer ? "tasks" : "cgroup.procs");
  char id[32];
  snprintf(id, sizeof id, "left-%d", freezer);
  container_begin(&c, id);
  plan_add(&c.builder, OP_KILL_CGROUP, M, "is", I(freezer ? 2 : 1), path);
  if (freezer) {
    plan_add(&c.builder, OP_CGROUP_ENTER, H, "s", procs);
  } else {
    plan_add(&c.builder, OP_CGROUP_INTO, H, "s", cgroup);
  }
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "leave", "3"));
  const char *record = container_wait(&c);
  EXPECT(number_after(record, "\"exitCode\":") == 3, "%s", record);
  EXPECT(strcmp(log_text(c.log), "stdout F left behind\n") == 0, "%s", log_text(c.log));
  for (int i = 0; i < 2000 && slurp("%s/cgroup.procs", cgroup)[0] != '\0'; i++) {
    usleep(1000);
  }
  EXPECT(slurp("%s/cgroup.procs", cgroup)[0] == '\0', "alive: %s",
         slurp("%s/cgroup.procs", cgroup));
}

// Output that nobody can store does not hold the container up.
static void survives_a_full_disk(struct pod *pod) {
  char path[128];
  snprintf(path, sizeof path, "%s/full", scratch);
  mkdir(path, 0755);
  if (mount("full", path, "tmpfs", 0, "size=64k") != 0) {
    die("tmpfs");
  }
  container_begin(&c, "full");
  // Again, on the small disk.
  plan_begin(&c.builder, KIND_CONTAINER, CONTAINER_SLOTS);
  char directory[80];
  snprintf(directory, sizeof directory, "%s/exits", scratch);
  snprintf(c.log, sizeof c.log, "%s/full/log", scratch);
  plan_add(&c.builder, OP_LOG, M, "s", c.log);
  plan_add(&c.builder, OP_EXIT_RECORD, M, "ss", directory, "full");
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "fill", "300000"));
  const char *record = container_wait(&c);
  EXPECT(number_after(record, "\"exitCode\":") == 0, "%s", record);
  long lost = number_after(record, "\"lostRecords\":");
  char *log = log_text(c.log);
  long kept = 0;
  for (const char *at = log; *at != '\0'; at++) {
    kept += *at == '\n';
  }
  EXPECT(lost > 0 && lost + kept == 300001, "%ld lost, %ld kept", lost, kept);
  umount(path);
}

static void has_a_terminal(struct pod *pod) {
  container_begin(&c, "tty");
  container_mounts(&c);
  plan_add(&c.builder, OP_TTY, X, "ii", I(24), I(80));
  container_start(&c, pod, LIST("probe", "tty"));
  container_wait(&c);
  EXPECT(strcmp(log_text(c.log), "stdout F tty 1 1 1 /dev/pts/0\r\n") == 0, "%s", log_text(c.log));
}

static void measures_memory(struct pod *pod) {
  container_begin(&c, "memory");
  container_mounts(&c);
  container_start(&c, pod, LIST("probe", "wait"));
  while (strstr(log_text(c.log), "waiting") == NULL) {
    usleep(1000);
  }
  long pause_pss = number_after(slurp("/proc/%d/smaps_rollup", pod->pause.answer.pid), "\nPss:");
  char *text = slurp("/proc/%d/smaps_rollup", c.reply.answer.monitor);
  long monitor_pss = number_after(text, "\nPss:");
  printf("   PSS: pause %ld KiB + monitor %ld KiB (dirty %ld KiB)\n", pause_pss, monitor_pss,
         number_after(text, "Private_Dirty:"));
  EXPECT(pause_pss > 0 && monitor_pss > 0 && pause_pss + monitor_pss <= 100, "%ld + %ld KiB",
         pause_pss, monitor_pss);
  // The monitor keeps nothing of the daemon's: no socket, no log.
  char command[128];
  snprintf(command, sizeof command, "ls -l /proc/%d/fd", c.reply.answer.monitor);
  FILE *list = popen(command, "re");
  char line[256];
  while (fgets(line, sizeof line, list) != NULL) {
    EXPECT(strstr(line, "socket:") == NULL && strstr(line, "memfd:") == NULL, "%s", line);
  }
  pclose(list);
  kill(c.reply.answer.pid, SIGKILL);
  container_wait(&c);
}

void test_containers(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  sees_three_descriptors(&pod);
  logs_as_cri(&pod);
  tells_exit(&pod);
  has_identity(&pod);
  covers_proc(&pod);
  shares_the_pod(&pod);
  kills_the_rest(&pod, false);
  kills_the_rest(&pod, true);
  survives_a_full_disk(&pod);
  has_a_terminal(&pod);
  measures_memory(&pod);
  spawner_stop(&spawner);
  pod_stop(&pod);
}
