// A stand-in for the daemon: starts the spawner, sends requests, reads answers. And what tests need
// around it. Everything ends the test with a message when the machine itself fails.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../answer.h"
#include "builder.h"

#define I(x) ((int64_t)(x))
#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

extern int failures;

// Counts a failure and says where and why.
#define EXPECT(condition, ...)                                     \
  do {                                                             \
    if (!(condition)) {                                            \
      failures++;                                                  \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf(stderr, __VA_ARGS__);                                \
      fputc('\n', stderr);                                         \
    }                                                              \
  } while (0)

// Ends the run: nothing can be tested like this.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct spawner_client {
  int socket;
  pid_t pid;
};

struct reply {
  struct answer answer;
  int pidfd;     // -1 for none
  int terminal;  // of an exec that has one, else -1
};

void spawner_start(struct spawner_client *client, const char *native);
// Closes the socket and waits for the spawner's end. Answers its wait status.
int spawner_stop(struct spawner_client *client);

// Sends the builder's plan (which it ends first) with `count` descriptors.
void spawner_send(struct spawner_client *client, uint64_t id, struct builder *builder,
                  const int *descriptors, size_t count);
void spawner_send_raw(struct spawner_client *client, const void *bytes, size_t length,
                      const int *descriptors, size_t count);
// The next answer; ends the run if none comes for 20 seconds.
struct reply spawner_receive(struct spawner_client *client);
struct reply spawner_call(struct spawner_client *client, struct builder *builder,
                          const int *descriptors, size_t count);

int sealed_memfd(const char *name, const void *bytes, size_t length);
int memfd_of(const char *path);

// Waits until the process has ended; ends the run after 20 seconds.
void await_end(int pidfd);
bool await_path(const char *path, int milliseconds);

// Reads a file into a static buffer of its own for each of the last four calls.
char *slurp(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The number that follows `key` in a text, -1 if it is not there.
long number_after(const char *text, const char *key);
uint64_t monotonic_us(void);
// Where the tests' files are: a tmpfs of their own.
extern char scratch[];
