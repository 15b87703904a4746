// A terminal from the container's own devpts.
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <termios.h>

#include "operations.h"
#include "system.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

int op_tty(struct launch *launch, struct cursor *arguments) {
  struct winsize size = {0};
  size.ws_row = (unsigned short)take_int(arguments);
  size.ws_col = (unsigned short)take_int(arguments);
  cleanup_fd slash = result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  cleanup_fd master = slash < 0 ? slash
                                : sys_open_beneath(slash, "dev/pts/ptmx", O_RDWR | O_NOCTTY,
                                                   RESOLVE_NO_SYMLINKS);
  if (master < 0) {
    return master;
  }
  struct statfs fs;
  if (fstatfs(master, &fs) != 0) {
    return -errno;
  }
  if (fs.f_type != DEVPTS_MAGIC) {
    return -ENODEV;
  }
  int unlocked = 0;
  if (ioctl(master, TIOCSPTLCK, &unlocked) != 0) {
    return -errno;
  }
  // Opened through the master: no path that somebody could swap.
  cleanup_fd slave = result(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (slave < 0) {
    return slave;
  }
  if (ioctl(slave, TIOCSWINSZ, &size) != 0 || ioctl(slave, TIOCSCTTY, 0) != 0) {
    return -errno;
  }
  for (int fd = 0; fd <= 2; fd++) {
    if (dup2(slave, fd) < 0) {
      return -errno;
    }
  }
  launch->terminal = true;
  send_report(launch, &(struct report){.type = REPORT_TERMINAL}, master);
  return 0;
}
