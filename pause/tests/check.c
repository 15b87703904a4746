// Runs the native programs as the daemon would. `check NATIVE_DIR PROBE`: needs root; keeps to a
// mount and a network namespace of its own. Exit status 77: skipped.
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pod.h"

static void make_directory(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", scratch, name);
  if (mkdir(path, 0755) != 0) {
    die("%s", path);
  }
}

static void make_scratch(const char *probe) {
  if (mount("scratch", scratch, "tmpfs", 0, "mode=755") != 0) {
    die("%s", scratch);
  }
  make_directory("logs");
  make_directory("exits");
  make_directory("root");
  make_directory("root/bin");
  make_directory("root/etc");
  char command[1024];
  snprintf(command, sizeof command, "cp %s %s/root/bin/probe", probe, scratch);
  if (system(command) != 0) {
    die("%s", command);
  }
}

static void loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
    die("loopback");
  }
  close(fd);
}

static const struct part {
  const char *name;
  void (*run)(const char *native);
} PARTS[] = {
    {"pause program", test_pause_program},
    {"pods", test_pods},
    {"containers", test_containers},
    {"failures", test_failures},
    {"execs", test_execs},
    {"control", test_control},
    {"holders", test_holders},
    {"hostile containers", test_hostile},
    {"bench", bench},
};

static int run(char **argv) {
  if (mount("proc", "/proc", "proc", 0, NULL) != 0) {
    die("/proc");
  }
  char native[256];
  if (realpath(argv[1], native) == NULL) {
    die("%s", argv[1]);
  }
  make_scratch(argv[2]);
  loopback_up();
  for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
    // The bench runs only when asked for.
    if (argv[3] != NULL ? strcmp(argv[3], PARTS[i].name) != 0 : PARTS[i].run == bench) {
      continue;
    }
    int before = failures;
    PARTS[i].run(native);
    printf("%s %s\n", failures == before ? "ok" : "FAILED", PARTS[i].name);
  }
  // What outlived its spawner has come to this process; by now all of it has to be ending.
  while (waitpid(-1, NULL, 0) > 0) {
  }
  return failures == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: check NATIVE_DIR PROBE [PART]\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (geteuid() != 0) {
    printf("skipped: starting pods needs root\n");
    return 77;
  }
  if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) != 0) {
    printf("skipped: no namespaces can be made here\n");
    return 77;
  }
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    die("mount");
  }
  strcpy(scratch, "/tmp/peapod-pause-XXXXXX");
  if (mkdtemp(scratch) == NULL) {
    die("%s", scratch);
  }
  // The tests are PID 1 of a namespace: whatever happens to them, nothing outlives them.
  pid_t tests = fork();
  if (tests == 0) {
    return run(argv);
  }
  int status = 1;
  waitpid(tests, &status, 0);
  remove_test_cgroups();
  umount2(scratch, MNT_DETACH);
  rmdir(scratch);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 && failures == 0 ? 0 : 1;
}
