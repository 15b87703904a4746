// Plan kind 3: the monitor of a process that runs beside a container's main process. It belongs to
// the daemon that asked: when that goes away, what was started is killed.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "answer.h"
#include "monitor.h"
#include "system.h"

void launch_exec(struct launch *launch) {
  struct monitor monitor = {.launch = launch};
  struct failure failure;
  if (!monitor_configure(&monitor, &failure) || !monitor_start(&monitor, &failure)) {
    answer_failed(launch, &failure);
  }
  bool abandoned = monitor_answer_started(&monitor) < 0;
  int keep[4] = {monitor.pidfd, launch->socket};
  size_t count = 2;
  if (monitor.killer.fd >= 0) {
    keep[count++] = monitor.killer.fd;
  }
  if (monitor.held >= 0) {
    keep[count++] = monitor.held;
  }
  retain_descriptors(keep, count);

  // No events asked for: only the hang-up of the daemon's end is told.
  struct pollfd watched[] = {{.fd = monitor.pidfd, .events = POLLIN}, {.fd = launch->socket}};
  while (!abandoned && watched[0].revents == 0) {
    if (poll(watched, 2, -1) > 0 && (watched[1].revents & (POLLHUP | POLLERR)) != 0) {
      abandoned = true;
    }
  }
  if (abandoned) {
    sys_pidfd_kill(monitor.pidfd, SIGKILL);
    killer_run(&monitor.killer);
  }
  struct answer answer = {
      .magic = PEAP_MAGIC,
      .type = ANSWER_EXITED,
      .id = launch->id,
      .pid = monitor.pid,
      .monitor = getpid(),
      .pid_start = monitor.pid_start,
      .monitor_start = monitor.own_start,
      .index = NO_OPERATION,
  };
  while (waitpid(monitor.pid, &answer.status, 0) < 0 && errno == EINTR) {
  }
  send_answer(launch->socket, &answer, NULL, 0, 0);
  _exit(0);
}
