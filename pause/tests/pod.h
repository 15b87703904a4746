// A pod and its containers as the daemon would plan them, small.
#pragma once

#include "driver.h"

struct pod {
  struct spawner_client *spawner;
  struct reply pause;
};

// A container plan in the making: open with container_begin, add what the test is about, then
// container_end and send. Slots: 0 pause's pidfd, 1 root, 2 /dev, 3 /dev/null, 4 to 7 free.
struct container {
  struct builder builder;
  char id[32];
  char log[128];
  char record[128];
  struct reply reply;
};

#define CONTAINER_SLOTS 8
#define DOCKER_CAPABILITIES I(0xa80425fb)

void pod_start(struct pod *pod, struct spawner_client *spawner);
void pod_stop(struct pod *pod);

// Stage 0.
void container_begin(struct container *container, const char *id);
// Stages 1 and 2 up to the pivot, and /proc.
void container_mounts(struct container *container);
// Sends it with `exec` as the last operation; more descriptors go to slots 1 and up.
void container_start(struct container *container, struct pod *pod, const char *const *argv);
// Waits for the exit record; answers its text.
const char *container_wait(struct container *container);
// All of it for a plain run of the probe: the log without times.
const char *container_run(struct pod *pod, const char *id, const char *const *argv,
                          const char **record);

// The log with each record's time cut off, after a check of its form. Static.
char *log_text(const char *path);

// A cgroup of the tests' own in the unified or the freezer hierarchy; NULL where there is none.
const char *test_cgroup(bool freezer);
void remove_test_cgroups(void);

// The parts of the suite.
void test_pause_program(const char *native);
void test_pods(const char *native);
void test_containers(const char *native);
void test_failures(const char *native);
void test_control(const char *native);
void test_execs(const char *native);
void test_holders(const char *native);
void test_hostile(const char *native);
void bench(const char *native);
