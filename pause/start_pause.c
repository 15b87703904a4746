// Plan kind 1: the stage process is a child of the spawner, and so is the pause it clones.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "answer.h"
#include "launch.h"
#include "system.h"

// Ends what was made and waits until it is gone; the spawner reaps it.
static void undo(int pidfd) {
  sys_pidfd_kill(pidfd, SIGKILL);
  struct pollfd gone = {.fd = pidfd, .events = POLLIN};
  while (poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
}

// Clones pause, into launch->cgroup if `into` says so, and waits for its exec. Answers its pid.
static pid_t start(struct launch *launch, bool into, int *pidfd, struct failure *failure) {
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
    *failure = (struct failure){.index = NO_OPERATION, .error = errno};
    return 0;
  }
  int pid = sys_clone(CLONE_PARENT | CLONE_NEWNS | launch->namespaces, into ? launch->cgroup : -1,
                      pidfd);
  if (pid == 0) {
    launch->report = channel[1];
    close(channel[0]);
    become_process(launch);
  }
  close(channel[1]);
  if (pid < 0) {
    clone_failed(launch, -pid, STAGE_PROCESS, failure);
  } else {
    collect_reports(channel[0], failure, NULL);
    if (failure->error != 0) {
      undo(*pidfd);
    }
  }
  close(channel[0]);
  return pid;
}

void launch_pause(struct launch *launch) {
  struct failure failure;
  if (!open_cgroup(launch, &failure) || !run_operations(launch, STAGE_HOST, &failure) ||
      !run_operations(launch, STAGE_POD, &failure)) {
    answer_failed(launch, &failure);
  }
  int pidfd = -1;
  pid_t pid = start(launch, true, &pidfd, &failure);
  if (failure.error != 0 && killed_at_birth(launch, &failure, 0)) {
    int entered = enter_cgroup(launch);
    if (entered == 0) {
      pid = start(launch, false, &pidfd, &failure);
    } else {
      clone_failed(launch, -entered, STAGE_HOST, &failure);
    }
  }
  if (failure.error != 0) {
    answer_failed(launch, &failure);
  }
  struct answer answer = {
      .magic = PEAP_MAGIC,
      .type = ANSWER_STARTED,
      .id = launch->id,
      .pid = pid,
      .pid_start = process_start(launch->proc, pid),
      .index = NO_OPERATION,
  };
  if (send_answer(launch->socket, &answer, &pidfd, 1, 0) < 0) {
    undo(pidfd);
  }
  _exit(0);
}
