// How long joiner takes by itself, from the request to the answer.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pod.h"

#define STARTS 200

static int compare(const void *a, const void *b) {
  const uint64_t *left = a;
  const uint64_t *right = b;
  return *left < *right ? -1 : *left > *right;
}

static void print(const char *what, uint64_t *times) {
  qsort(times, STARTS, sizeof *times, compare);
  printf("   %-10s min %lu, p50 %lu, p99 %lu microseconds\n", what, (unsigned long)times[0],
         (unsigned long)times[STARTS / 2], (unsigned long)times[STARTS * 99 / 100]);
}

void bench(const char *native) {
  static uint64_t pauses[STARTS];
  static uint64_t containers[STARTS];
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  for (int i = 0; i < STARTS; i++) {
    struct pod pod;
    uint64_t start = monotonic_us();
    pod_start(&pod, &spawner);
    pauses[i] = monotonic_us() - start;
    static struct container c;
    char id[32];
    snprintf(id, sizeof id, "bench-%d", i);
    container_begin(&c, id);
    container_mounts(&c);
    start = monotonic_us();
    container_start(&c, &pod, LIST("probe", "exit", "0"));
    containers[i] = monotonic_us() - start;
    container_wait(&c);
    pod_stop(&pod);
    usleep(5000);
  }
  print("pause", pauses);
  print("container", containers);
  spawner_stop(&spawner);
}
