// What a container's monitor does for others over its unix socket: attach, input, resize, reopening
// the log. docs/launch-plan.md has the messages. No allocation; nothing here ever waits for a client.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

// Attached clients, and beside them those that ask for one thing and go.
#define CONTROL_ATTACHED 8
#define CONTROL_CLIENTS 12
#define CONTROL_POLLS (2 + CONTROL_CLIENTS)

enum control_request {
  CONTROL_ATTACH = 1,
  CONTROL_INPUT = 2,
  CONTROL_END_INPUT = 3,
  CONTROL_RESIZE = 4,
  CONTROL_REOPEN_LOG = 5,
};

enum control_answer { CONTROL_DONE = 16, CONTROL_STDOUT = 17, CONTROL_STDERR = 18 };

enum attach_flags { ATTACH_INPUT = 1, ATTACH_OUTPUT = 2, ATTACH_ONCE = 4 };

struct client {
  int fd;  // -1 for a free place
  uint8_t flags;
};

struct control {
  int listener;  // -1 where there is no socket
  int input;     // what input is written to, not blocking; -1 for none
  int terminal;  // what is resized, -1 for none
  const char *log_path;
  struct log *log;
  struct client clients[CONTROL_CLIENTS];
  // Input that the container has not taken yet; while there is some, no more is received.
  size_t input_start;
  size_t input_left;
  bool input_ends;
};

// Listens at `path`, readable for root alone. 0 or -errno.
int control_listen(struct control *control, const char *path);

// Fills CONTROL_POLLS entries.
void control_watch(const struct control *control, struct pollfd *polls);

// Does what those entries say.
void control_serve(struct control *control, const struct pollfd *polls);

// Forgets a descriptor that is about to be closed.
void control_closed(struct control *control, int fd);

// Passes output on to all that are attached; who can not take it at once is dropped.
void control_output(struct control *control, enum control_answer stream, const char *bytes,
                    size_t length);
