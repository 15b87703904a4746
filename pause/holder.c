// Plan kind 4.
#include "holder.h"

#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "answer.h"
#include "launch.h"
#include "paths.h"
#include "system.h"

#define NOBODY 65534
#define BATCH 64

static struct holder holder;

// Fills an address from its bytes; answers its length, 0 if family, count or port make no sense.
static socklen_t fill_address(union address *address, int64_t family, const char *bytes,
                              size_t count, int64_t port) {
  memset(address, 0, sizeof *address);
  if (port < 1 || port > 65535) {
    return 0;
  }
  if (family == 4 && count == sizeof address->v4.sin_addr) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    memcpy(&address->v4.sin_addr, bytes, count);
    return sizeof address->v4;
  }
  if (family == 6 && count == sizeof address->v6.sin6_addr) {
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons((uint16_t)port);
    memcpy(&address->v6.sin6_addr, bytes, count);
    return sizeof address->v6;
  }
  return 0;
}

static int bind_listener(const struct listener *listener, const union address *address,
                         socklen_t length) {
  const int on = 1;
  int fd = listener->fd;
  if (listener->family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return -errno;
  }
  if (listener->tcp) {
    // Connections of an earlier holder that linger in TIME_WAIT are no clash.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
      return -errno;
    }
  } else {
    bool v4 = listener->family == AF_INET;
    if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on,
                   sizeof on) != 0) {
      return -errno;
    }
  }
  if (bind(fd, &address->any, length) != 0) {
    return -errno;
  }
  return listener->tcp ? result(listen(fd, SOMAXCONN)) : 0;
}

static int add_listener(struct cursor *arguments) {
  if (holder.count == MAX_LISTENERS) {
    return -ENOSPC;
  }
  int64_t family = take_int(arguments);
  int64_t protocol = take_int(arguments);
  size_t count;
  const char *bytes = take_string(arguments, &count);
  union address address;
  socklen_t length = fill_address(&address, family, bytes, count, take_int(arguments));
  const char *target_bytes = take_string(arguments, &count);
  union address target;
  if (length == 0 || fill_address(&target, 4, target_bytes, count, take_int(arguments)) == 0) {
    return -EINVAL;
  }
  if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) {
    return -EPROTONOSUPPORT;
  }
  struct listener *listener = &holder.listeners[holder.count];
  listener->tcp = protocol == IPPROTO_TCP;
  listener->family = address.any.sa_family;
  listener->target = target.v4;
  listener->fd = result(socket(listener->family,
                               (listener->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC |
                                   SOCK_NONBLOCK,
                               0));
  if (listener->fd < 0) {
    return listener->fd;
  }
  struct epoll_event event = {.events = EPOLLIN,
                              .data.u64 = event_data(SOURCE_LISTENER, (uint32_t)holder.count)};
  int bound = bind_listener(listener, &address, length);
  bound = bound < 0 ? bound : result(epoll_ctl(holder.epoll, EPOLL_CTL_ADD, listener->fd, &event));
  holder.count++;
  return bound;
}

// From here on it can see no file of the host and has no privilege.
static int drop_privileges(const struct launch *launch) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (setns(launch->template, CLONE_NEWNS) != 0 || setgroups(0, NULL) != 0 ||
      syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) != 0 ||
      syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return -errno;
  }
  return 0;
}

// Waits until the daemon has written down what it was answered; a holder that nobody knows of is of no use.
static void await_record(int fd) {
  char byte;
  ssize_t length;
  while ((length = read(fd, &byte, sizeof byte)) < 0 && errno == EINTR) {
  }
  if (length != sizeof byte) {
    _exit(1);
  }
}

static void let_go(void) {
  int keep[MAX_LISTENERS + 1];
  size_t count = 0;
  keep[count++] = holder.epoll;
  for (int i = 0; i < holder.count; i++) {
    keep[count++] = holder.listeners[i].fd;
  }
  retain_descriptors(keep, count);
  dup2(0, 1);
  dup2(0, 2);
}

static void handle(const struct epoll_event *event) {
  enum source source = (enum source)(event->data.u64 >> 32);
  uint32_t index = (uint32_t)event->data.u64;
  switch (source) {
    case SOURCE_CLIENT:
    case SOURCE_TARGET:
      tcp_event(&holder, source, index, event->events);
      break;
    case SOURCE_SESSION:
      udp_reply(&holder, index);
      break;
    case SOURCE_LISTENER:
      break;
  }
}

static _Noreturn void forward(void) {
  bool busy = false;
  for (;;) {
    struct epoll_event events[BATCH];
    int idle = udp_expire(&holder);
    int count = epoll_wait(holder.epoll, events, BATCH, busy ? 0 : idle);
    for (int i = 0; i < count; i++) {
      handle(&events[i]);
    }
    // New connections and sessions come last, so that no event of this batch that is meant for what
    // was just closed reaches what took its place.
    for (int i = 0; i < count; i++) {
      uint32_t index = (uint32_t)events[i].data.u64;
      if (events[i].data.u64 >> 32 != SOURCE_LISTENER) {
        continue;
      }
      if (holder.listeners[index].tcp) {
        tcp_accept(&holder, index);
      } else {
        udp_receive(&holder, index);
      }
    }
    busy = tcp_continue(&holder);
  }
}

void launch_holder(struct launch *launch) {
  holder.epoll = result(epoll_create1(EPOLL_CLOEXEC));
  if (holder.epoll < 0) {
    answer_failed(launch, &(struct failure){.index = NO_OPERATION, .error = -holder.epoll});
  }
  struct operation operation = {0};
  int record = -1;
  while (plan_next(&launch->plan, &operation)) {
    struct cursor arguments = {operation.arguments};
    if (operation.opcode == OP_AWAIT) {
      record = slot_of(launch, take_int(&arguments));
      continue;
    }
    int added = add_listener(&arguments);
    if (added < 0) {
      answer_failed(launch, &(struct failure){.index = operation.index,
                                              .error = -added,
                                              .stage = STAGE_MONITOR,
                                              .detail = operation.index});
    }
  }
  struct answer answer = {
      .magic = PEAP_MAGIC,
      .type = ANSWER_STARTED,
      .id = launch->id,
      .pid = getpid(),
      .pid_start = process_start(launch->proc, getpid()),
      .index = NO_OPERATION,
  };
  int pidfd = sys_pidfd_open(getpid());
  int dropped = pidfd < 0 ? pidfd : drop_privileges(launch);
  if (dropped < 0) {
    answer_failed(launch, &(struct failure){.index = NO_OPERATION, .error = -dropped});
  }
  setsid();
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_UNBLOCK, &ends, NULL);
  if (send_answer(launch->socket, &answer, &pidfd, 1, 0) < 0) {
    _exit(1);
  }
  if (record >= 0) {
    await_record(record);
  }
  let_go();
  forward();
}
