// Plan kind 2: the monitor of a container. It stays until the container has ended, holds no socket
// of the daemon, allocates nothing, and needs nobody.
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "answer.h"
#include "exit_record.h"
#include "monitor.h"
#include "system.h"

#define DRAIN_MILLISECONDS 1000
#define RECORD_ATTEMPTS 600

// Their names are set at run time, so that the buffers are no part of the program's file.
static struct stream out;
static struct stream err;

static struct timespec now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time;
}

static char log_path[PATH_MAX];

// Reads once, logs, and passes on. Answers false at the end of the stream.
static bool receive(struct monitor *monitor, struct stream *stream, int fd) {
  size_t space;
  char *at = stream_space(stream, &space);
  ssize_t count = read(fd, at, space);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  // A terminal whose last holder has gone answers EIO.
  if (count <= 0) {
    return false;
  }
  struct timespec time = now(CLOCK_REALTIME);
  control_output(&monitor->control, stream == &out ? CONTROL_STDOUT : CONTROL_STDERR, at,
                 (size_t)count);
  log_received(&monitor->log, stream, (size_t)count, &time);
  return true;
}

// Milliseconds until `end`, which is monotonic; 0 once it has passed.
static int until(const struct timespec *end) {
  struct timespec time = now(CLOCK_MONOTONIC);
  int64_t left = (end->tv_sec - time.tv_sec) * 1000 + (end->tv_nsec - time.tv_nsec) / 1000000;
  return left < 0 ? 0 : (int)left;
}

enum { PROCESS, OUT, ERR, CONTROL, WATCHED = CONTROL + CONTROL_POLLS };

// Logs until the main process has ended, what it left behind is killed and its output is drained.
static void supervise(struct monitor *monitor, struct exit_record *record) {
  struct pollfd watched[WATCHED] = {
      [PROCESS] = {.fd = monitor->pidfd, .events = POLLIN},
      [OUT] = {.fd = monitor->out, .events = POLLIN},
      [ERR] = {.fd = monitor->err, .events = POLLIN},
  };
  struct stream *streams[] = {[OUT] = &out, [ERR] = &err};
  out.name = "stdout";
  err.name = "stderr";
  struct timespec deadline = {0};
  bool running = true;
  while (running || watched[OUT].fd >= 0 || watched[ERR].fd >= 0) {
    int timeout = running ? -1 : until(&deadline);
    if (timeout == 0) {
      break;
    }
    control_watch(&monitor->control, watched + CONTROL);
    if (poll(watched, WATCHED, timeout) < 0) {
      continue;
    }
    for (int i = OUT; i <= ERR; i++) {
      if (watched[i].revents != 0 && !receive(monitor, streams[i], watched[i].fd)) {
        control_closed(&monitor->control, watched[i].fd);
        close(watched[i].fd);
        watched[i].fd = -1;
      }
    }
    control_serve(&monitor->control, watched + CONTROL);
    if (watched[PROCESS].revents != 0) {
      waitpid(monitor->pid, &record->status, 0);
      record->finished = now(CLOCK_REALTIME);
      killer_run(&monitor->killer);
      deadline = now(CLOCK_MONOTONIC);
      deadline.tv_sec += DRAIN_MILLISECONDS / 1000;
      watched[PROCESS].fd = -1;
      running = false;
    }
  }
  struct timespec time = now(CLOCK_REALTIME);
  log_finish(&monitor->log, &out, &time);
  log_finish(&monitor->log, &err, &time);
}

// Lets go of everything that supervision does not need: the daemon's socket and log, what the plan
// came with, and the plan itself.
static void let_go(struct monitor *monitor) {
  int keep[8 + OOM_MAX_COUNTERS];
  size_t count = 0;
  const int held[] = {monitor->log.fd, monitor->killer.fd, monitor->records,
                      monitor->out,    monitor->err,       monitor->held,
                      monitor->pidfd,  monitor->control.listener};
  for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
    if (held[i] >= 0) {
      keep[count++] = held[i];
    }
  }
  for (size_t i = 0; i < monitor->oom.count; i++) {
    keep[count++] = monitor->oom.list[i].fd;
  }
  retain_descriptors(keep, count);
  dup2(0, 1);
  dup2(0, 2);
  munmap((void *)(uintptr_t)monitor->launch->plan.bytes, monitor->launch->plan.length);
}

// Output comes from the terminal and input goes to it, or else through the pipes.
static void make_control(struct monitor *monitor) {
  struct control *control = &monitor->control;
  if (monitor->terminal >= 0) {
    close_fd(&monitor->out);
    close_fd(&monitor->err);
    monitor->out = monitor->terminal;
    if (monitor->held >= 0) {
      close(monitor->held);
      monitor->held = monitor->terminal;
    }
  }
  control->terminal = monitor->terminal;
  control->input = monitor->held;
  control->log = &monitor->log;
  control->log_path = log_path;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    control->clients[i].fd = -1;
  }
  if (monitor->held >= 0) {
    fcntl(monitor->held, F_SETFL, fcntl(monitor->held, F_GETFL) | O_NONBLOCK);
  }
  // Of a container that has closed its input.
  signal(SIGPIPE, SIG_IGN);
}

void launch_container(struct launch *launch) {
  struct monitor monitor = {.launch = launch};
  struct failure failure;
  if (!monitor_configure(&monitor, &failure) || !monitor_start(&monitor, &failure)) {
    if (monitor.control_path != NULL) {
      unlink(monitor.control_path);
    }
    answer_failed(launch, &failure);
  }
  make_control(&monitor);
  char id[EXIT_ID_MAX + 1] = "";
  if (monitor.record != NULL) {
    strcpy(id, monitor.record);
  }
  if (monitor.log_path != NULL && strlen(monitor.log_path) < sizeof log_path) {
    strcpy(log_path, monitor.log_path);
  }
  struct exit_record record = {.id = id, .pid = monitor.pid, .started = now(CLOCK_REALTIME)};
  if (monitor_answer_started(&monitor) < 0) {
    sys_pidfd_kill(monitor.pidfd, SIGKILL);
  }
  let_go(&monitor);
  supervise(&monitor, &record);
  oom_read(&monitor.oom, record.oom);
  record.lost_records = monitor.log.lost;
  // The record is what the daemon learns of the exit by: a full disk may have room again later.
  for (int i = 0; monitor.records >= 0 && exit_record_write(monitor.records, &record) < 0; i++) {
    if (i == RECORD_ATTEMPTS) {
      _exit(1);
    }
    poll(NULL, 0, 100);
  }
  _exit(0);
}
