#include "monitor.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "answer.h"
#include "exit_record.h"
#include "paths.h"
#include "system.h"

#define IN_HELD (-2)

// The slots that STDIO names, or what stands for its absence.
struct stdio_plan {
  int64_t slots[3];
};

static int configure(struct monitor *monitor, const struct operation *operation,
                     struct stdio_plan *stdio) {
  struct cursor arguments = {operation->arguments};
  switch ((enum opcode)operation->opcode) {
    case OP_LOG:
      monitor->log_path = take_string(&arguments, NULL);
      monitor->log.fd = log_open(monitor->log_path);
      return monitor->log.fd < 0 ? monitor->log.fd : 0;
    case OP_EXIT_RECORD:
      monitor->records = result(open(take_string(&arguments, NULL), O_PATH | O_DIRECTORY | O_CLOEXEC));
      monitor->record = take_string(&arguments, NULL);
      if (monitor->records < 0) {
        return monitor->records;
      }
      return exit_id_is_valid(monitor->record) ? 0 : -EINVAL;
    case OP_KILL_CGROUP: {
      int64_t kind = take_int(&arguments);
      return killer_open(&monitor->killer, kind, take_string(&arguments, NULL));
    }
    case OP_OOM_COUNTER: {
      int64_t kind = take_int(&arguments);
      const char *path = take_string(&arguments, NULL);
      return oom_open(&monitor->oom, kind, path, take_string(&arguments, NULL));
    }
    case OP_STDIO:
      for (int i = 0; i < 3; i++) {
        stdio->slots[i] = take_int(&arguments);
      }
      return stdio->slots[1] < -1 || stdio->slots[2] < -1 ? -EINVAL : 0;
    case OP_CONTROL: {
      const char *path = take_string(&arguments, NULL);
      int listening = control_listen(&monitor->control, path);
      monitor->control_path = listening == 0 ? path : NULL;
      return listening;
    }
    default:
      return -ENOSYS;
  }
}

// A pipe; `reader` and `writer` take its ends.
static int make_pipe(int *reader, int *writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return -errno;
  }
  *reader = ends[0];
  *writer = ends[1];
  return 0;
}

static int make_stdio(struct monitor *monitor, const struct stdio_plan *stdio) {
  struct launch *launch = monitor->launch;
  int *received[] = {NULL, &monitor->out, &monitor->err};
  for (int i = 0; i < 3; i++) {
    int64_t slot = stdio->slots[i];
    int made = 0;
    if (slot >= 0) {
      launch->stdio[i] = slot_of(launch, slot);
      made = launch->stdio[i] < 0 ? launch->stdio[i] : 0;
    } else if (slot == IN_HELD) {
      made = make_pipe(&launch->stdio[0], &monitor->held);
    } else if (i > 0 && (monitor->log.fd >= 0 || monitor->control.listener >= 0)) {
      made = make_pipe(received[i], &launch->stdio[i]);
    } else {
      // The process opens its own /dev/null in the place of this one before the exec.
      launch->stdio[i] = result(open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC));
      made = launch->stdio[i] < 0 ? launch->stdio[i] : 0;
    }
    if (made < 0) {
      return made;
    }
  }
  return 0;
}

bool monitor_configure(struct monitor *monitor, struct failure *failure) {
  monitor->log.fd = -1;
  monitor->killer.fd = -1;
  monitor->records = -1;
  monitor->out = -1;
  monitor->err = -1;
  monitor->held = -1;
  monitor->pidfd = -1;
  monitor->terminal = -1;
  monitor->control.listener = -1;
  struct stdio_plan stdio = {{-1, -1, -1}};
  struct operation operation = {0};
  uint32_t stdio_index = NO_OPERATION;
  while (plan_next(&monitor->launch->plan, &operation) && operation.stage == STAGE_MONITOR) {
    int done = configure(monitor, &operation, &stdio);
    if (done < 0) {
      *failure = (struct failure){
          .index = operation.index, .error = -done, .stage = STAGE_MONITOR};
      return false;
    }
    if (operation.opcode == OP_STDIO) {
      stdio_index = operation.index;
    }
  }
  int made = make_stdio(monitor, &stdio);
  if (made < 0) {
    *failure = (struct failure){.index = stdio_index, .error = -made, .stage = STAGE_MONITOR};
  }
  return made == 0;
}

// Waits for all that was started; it ends by itself or has been killed.
static void reap_all(void) {
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
  }
}

// Clones the stage process, into launch->cgroup if `into` says so, and waits for the exec. Answers
// the stage's pid, 0 if there is none.
static pid_t run_stage(struct monitor *monitor, bool into, int *terminal,
                       struct failure *failure) {
  struct launch *launch = monitor->launch;
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
    *failure = (struct failure){.index = NO_OPERATION, .error = errno};
    return 0;
  }
  int stage = sys_clone(0, into ? launch->cgroup : -1, NULL);
  if (stage == 0) {
    launch->report = channel[1];
    close(channel[0]);
    int entered = into || launch->cgroup < 0 ? 0 : enter_cgroup(launch);
    if (entered == 0) {
      become_stage(launch);
    }
    _exit(127);
  }
  close(channel[1]);
  if (stage < 0) {
    clone_failed(launch, -stage, STAGE_HOST, failure);
    stage = 0;
  } else {
    monitor->own_start = process_start(launch->proc, getpid());
    monitor->pid = collect_reports(channel[0], failure, terminal);
  }
  close(channel[0]);
  return stage;
}

// The number in a file that a program of the host has written, 0 if there is none.
static pid_t read_pid(const char *path) {
  cleanup_fd file = result(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  char text[16];
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text);
  pid_t pid = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9' && pid < 100000000; i++) {
    pid = pid * 10 + (text[i] - '0');
  }
  return pid;
}

static void skip_list(struct cursor *arguments) {
  for (int64_t count = take_int(arguments); count > 0; count--) {
    take_string(arguments, NULL);
  }
}

// Waits until the program of RESTORE has ended well. The main process is the one that it tells of, a child of ours by then.
static bool take_restored(struct monitor *monitor, struct failure *failure) {
  struct operation operation;
  if (!plan_find(&monitor->launch->plan, OP_RESTORE, &operation)) {
    return true;
  }
  int status = 0;
  while (waitpid(monitor->pid, &status, 0) < 0 && errno == EINTR) {
  }
  struct cursor arguments = {operation.arguments};
  skip_list(&arguments);
  skip_list(&arguments);
  monitor->pid = status == 0 ? read_pid(take_string(&arguments, NULL)) : 0;
  siginfo_t info;
  if (monitor->pid > 0 &&
      waitid(P_PID, (id_t)monitor->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    return true;
  }
  monitor->pid = 0;
  *failure = (struct failure){.index = operation.index,
                              .error = ECANCELED,
                              .stage = STAGE_PROCESS,
                              .detail = (uint64_t)status};
  return false;
}

bool monitor_start(struct monitor *monitor, struct failure *failure) {
  struct launch *launch = monitor->launch;
  signal(SIGCHLD, SIG_DFL);
  if (!open_cgroup(launch, failure)) {
    return false;
  }
  int terminal = -1;
  pid_t stage = run_stage(monitor, true, &terminal, failure);
  if (stage > 0 && failure->error != 0 && killed_at_birth(launch, failure, monitor->pid)) {
    reap_all();
    stage = run_stage(monitor, false, &terminal, failure);
  }
  for (int i = 0; i < 3; i++) {
    close(launch->stdio[i]);
  }
  if (stage > 0 && failure->error == 0 && monitor->pid > 0) {
    waitpid(stage, NULL, 0);
  }
  if (stage > 0 && failure->error == 0 && monitor->pid > 0 && take_restored(monitor, failure)) {
    monitor->pidfd = sys_pidfd_open(monitor->pid);
    monitor->pid_start = process_start(launch->proc, monitor->pid);
  }
  if (monitor->pidfd < 0) {
    if (failure->error == 0) {
      *failure = (struct failure){.index = NO_OPERATION, .error = EIO};
    }
    if (monitor->pid > 0) {
      kill(monitor->pid, SIGKILL);
    } else if (stage > 0) {
      killer_run(&monitor->killer);
    }
    reap_all();
    return false;
  }
  monitor->terminal = terminal;
  return true;
}

int monitor_answer_started(const struct monitor *monitor) {
  struct answer answer = {
      .magic = PEAP_MAGIC,
      .type = ANSWER_STARTED,
      .id = monitor->launch->id,
      .pid = monitor->pid,
      .monitor = getpid(),
      .pid_start = monitor->pid_start,
      .monitor_start = monitor->own_start,
      .index = NO_OPERATION,
  };
  int fds[] = {monitor->pidfd, monitor->terminal};
  bool hands_over = monitor->terminal >= 0 && monitor->launch->plan.kind == KIND_EXEC;
  return send_answer(monitor->launch->socket, &answer, fds, hands_over ? 2 : 1, 0);
}
