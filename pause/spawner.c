#include "spawner.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "answer.h"
#include "launch.h"
#include "system.h"
#include "text.h"

#define SOCKET_FD 3
#define PAUSE_FD 4
#define JOINER_FD 5
#define MAX_DESCRIPTORS (REQUEST_MAX_SLOTS + 1)

struct spawner {
  int template;
  int proc;
  // An answer that could not be sent at once; no request is read until it is gone.
  struct answer pending;
  bool has_pending;
};

static void complain(const char *what, int error) {
  char text[256];
  char *at = put_text(text, "joiner: ");
  at = put_text(at, what);
  at = put_text(at, ": ");
  at = put_text(at, strerror(error));
  *at++ = '\n';
  ssize_t ignored = write(2, text, (size_t)(at - text));
  (void)ignored;
}

// Makes the template in the mount namespace that the calling process was born with: one small
// read-only tmpfs with /root and /shm, and nothing of the host.
static int make_template(void) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return -errno;
  }
  cleanup_fd fs = sys_fsopen("tmpfs");
  int done = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "peapod");
  done = done < 0 ? done : sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k");
  done = done < 0 ? done : sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755");
  done = done < 0 ? done : sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
  cleanup_fd root =
      done < 0 ? done : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (root < 0) {
    return root;
  }
  struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
  if (mkdirat(root, "root", 0755) != 0 || mkdirat(root, "shm", 0755) != 0) {
    return -errno;
  }
  done = sys_mount_setattr(root, false, &readonly);
  cleanup_fd place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  done = done < 0 ? done : place < 0 ? -errno : sys_move_mount(root, place);
  if (done < 0) {
    return done;
  }
  if (fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0) {
    return -errno;
  }
  return 0;
}

// A descriptor of the template mount namespace, made by a child that does not outlive this.
static int open_template(int proc) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) {
    return -errno;
  }
  cleanup_fd reader = ready[0];
  int pid = sys_clone(CLONE_NEWNS, -1, NULL);
  if (pid == 0) {
    close(ready[0]);
    int made = make_template();
    ssize_t written = write(ready[1], &made, sizeof made);
    if (made == 0 && written == sizeof made) {
      pause();
    }
    _exit(1);
  }
  close(ready[1]);
  if (pid < 0) {
    return pid;
  }
  int made = -EIO;
  if (read(reader, &made, sizeof made) < 0) {
    made = -errno;
  }
  int template = made;
  if (made == 0) {
    char path[64];
    char *at = put_number(path, (uint64_t)pid);
    at = put_text(at, "/ns/mnt");
    *at = '\0';
    template = result(openat(proc, path, O_RDONLY | O_CLOEXEC));
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return template;
}

// Copies the plan into memory of our own, so that nobody changes it while it is read.
static int load_plan(int fd, struct plan *plan) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < PLAN_HEADER ||
      status.st_size > PLAN_MAX_BYTES) {
    return -EPROTO;
  }
  size_t length = (size_t)status.st_size;
  char *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) {
    return -errno;
  }
  if (pread(fd, bytes, length, 0) != (ssize_t)length) {
    return -EPROTO;
  }
  close(fd);
  return plan_parse(plan, bytes, length);
}

// The life of the child that carries out one request.
static _Noreturn void serve(const struct spawner *spawner, uint64_t id, int error,
                            const int *descriptors, size_t count) {
  struct launch launch = {
      .id = id,
      .socket = SOCKET_FD,
      .program = PAUSE_FD,
      .template = spawner->template,
      .proc = spawner->proc,
      .report = -1,
      .cgroup = -1,
      .root = -1,
      .null_mount = -1,
      .empty_mount = -1,
      .procfs = -1,
  };
  memset(launch.slots, -1, sizeof launch.slots);
  if (error == 0) {
    error = -load_plan(descriptors[0], &launch.plan);
  }
  if (error == 0 && count - 1 > launch.plan.slots) {
    error = EPROTO;
  }
  if (error != 0) {
    answer_failed(&launch, &(struct failure){.index = NO_OPERATION, .error = error});
  }
  memcpy(launch.slots, descriptors + 1, (count - 1) * sizeof launch.slots[0]);
  close(JOINER_FD);
  // The name that ps(1) shows; a program started from a memfd would be named after a descriptor.
  switch ((enum plan_kind)launch.plan.kind) {
    case KIND_PAUSE:
      prctl(PR_SET_NAME, "joiner-stage");
      launch_pause(&launch);
    case KIND_CONTAINER:
      prctl(PR_SET_NAME, "joiner-monitor");
      launch_container(&launch);
    case KIND_EXEC:
      prctl(PR_SET_NAME, "joiner-exec");
      launch_exec(&launch);
    case KIND_HOLDER:
      prctl(PR_SET_NAME, "joiner-holder");
      launch_holder(&launch);
  }
  _exit(1);
}

// Collects the descriptors that came with a message.
static size_t take_descriptors(struct msghdr *message, int descriptors[MAX_DESCRIPTORS]) {
  size_t count = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    size_t size = header->cmsg_len - CMSG_LEN(0);
    for (size_t i = 0; i < size / sizeof(int); i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      if (count < MAX_DESCRIPTORS) {
        descriptors[count++] = fd;
      } else {
        close(fd);
      }
    }
  }
  return count;
}

static void answer_later(struct spawner *spawner, uint64_t id, int error) {
  spawner->pending = (struct answer){.magic = PEAP_MAGIC,
                                     .type = ANSWER_FAILED,
                                     .id = id,
                                     .index = NO_OPERATION,
                                     .error = error};
  spawner->has_pending = true;
}

// Reads one request and hands it to a child. Answers false when the daemon is gone.
static bool handle_request(struct spawner *spawner) {
  struct request request = {0};
  struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * MAX_DESCRIPTORS)];
  } control;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t length = recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) {
    return errno == EAGAIN || errno == EINTR || errno == ENOMEM || errno == ENOBUFS;
  }
  int descriptors[MAX_DESCRIPTORS];
  size_t count = take_descriptors(&message, descriptors);
  // A sequenced packet socket shows its end as a packet of nothing; an empty one that was sent can
  // not be told from it, except by the hang-up.
  if (length == 0 && count == 0) {
    struct pollfd socket = {.fd = SOCKET_FD};
    if (poll(&socket, 1, 0) > 0 && (socket.revents & POLLHUP) != 0) {
      return false;
    }
  }
  bool broken = length != sizeof request || request.magic != PEAP_MAGIC ||
                request.version != PROTOCOL_VERSION || count == 0 ||
                (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  uint64_t id = length == sizeof request ? request.id : 0;
  int pid = sys_clone(0, -1, NULL);
  if (pid == 0) {
    serve(spawner, id, broken ? EPROTO : 0, descriptors, count);
  }
  for (size_t i = 0; i < count; i++) {
    close(descriptors[i]);
  }
  if (pid < 0) {
    answer_later(spawner, id, -pid);
  }
  return true;
}

static void prepare_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  // What the daemon ignores is not handed on to containers. The kernel's own call, because signal(3)
  // leaves out the two that thread libraries use.
  static const struct disposition {
    unsigned long handler, flags, restorer, mask;
  } by_default;
  for (int number = 1; number < _NSIG; number++) {
    syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
  }
}

static int prepare(struct spawner *spawner) {
  for (int fd = 0; fd <= JOINER_FD; fd++) {
    if (fcntl(fd, F_GETFD) < 0) {
      complain("descriptors 0 to 5 have to be open", errno);
      return 2;
    }
  }
  for (int fd = SOCKET_FD; fd <= JOINER_FD; fd++) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  sys_close_range(JOINER_FD + 1, ~0u, 0);
  prepare_signals();
  setsid();
  umask(0);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    complain("prctl", errno);
    return 1;
  }
  spawner->proc = result(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (spawner->proc < 0) {
    complain("/proc", -spawner->proc);
    return 1;
  }
  spawner->template = open_template(spawner->proc);
  if (spawner->template < 0) {
    complain("making the template mount namespace", -spawner->template);
    return 1;
  }
  // The kernel reaps what ends; a storm of exits costs no wake-up.
  signal(SIGCHLD, SIG_IGN);
  return 0;
}

int spawner_run(void) {
  prctl(PR_SET_NAME, "joiner-spawner");
  struct spawner spawner = {0};
  int failed = prepare(&spawner);
  if (failed != 0) {
    return failed;
  }
  spawner.pending = (struct answer){
      .magic = PEAP_MAGIC, .type = ANSWER_READY, .pid = getpid(), .index = NO_OPERATION};
  spawner.pending.pid_start = process_start(spawner.proc, getpid());
  spawner.has_pending = true;
  for (;;) {
    struct pollfd socket = {.fd = SOCKET_FD, .events = spawner.has_pending ? POLLOUT : POLLIN};
    if (poll(&socket, 1, -1) < 0) {
      continue;
    }
    if (spawner.has_pending) {
      int sent = send_answer(SOCKET_FD, &spawner.pending, NULL, 0, MSG_DONTWAIT);
      if (sent == -EPIPE || sent == -ECONNRESET) {
        return 0;
      }
      spawner.has_pending = sent == -EAGAIN || sent == -ENOBUFS || sent == -ENOMEM;
    } else if (!handle_request(&spawner)) {
      return 0;
    }
  }
}
