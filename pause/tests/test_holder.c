// Host ports: bound, forwarded, refused where taken. All on the loopback of a namespace of our own.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pod.h"

#define TARGET_PORT 9001

static const uint8_t loopback[4] = {127, 0, 0, 1};
static const uint8_t target[4] = {127, 0, 0, 2};
static const uint8_t any6[16];

static struct builder b;

static void listen_on(int family, int protocol, const uint8_t *address, int port) {
  plan_add(&b, OP_LISTEN, STAGE_MONITOR, "iibibi", I(family), I(protocol), address,
           family == 4 ? (size_t)4 : (size_t)16, I(port), target, (size_t)4, I(TARGET_PORT));
}

static struct sockaddr_in v4(const uint8_t *address, int port) {
  struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  memcpy(&result.sin_addr, address, 4);
  return result;
}

// Answers what it got, only after the sender has said that it is done; so it needs a half-close.
static void serve_tcp(int listener) {
  static char data[4 << 20];
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
      _exit(1);
    }
    if (fork() != 0) {
      close(fd);
      continue;
    }
    size_t length = 0;
    ssize_t part;
    while ((part = read(fd, data + length, sizeof data - length)) > 0) {
      length += (size_t)part;
    }
    for (size_t at = 0; at < length; at += (size_t)part) {
      part = write(fd, data + at, length - at);
      if (part <= 0) {
        break;
      }
    }
    _exit(0);
  }
}

static void serve_udp(int fd) {
  char data[2048];
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t length = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
    if (length >= 0) {
      sendto(fd, data, (size_t)length, 0, (struct sockaddr *)&from, size);
    }
  }
}

static pid_t start_server(int type) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = v4(target, TARGET_PORT);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      (type == SOCK_STREAM && listen(fd, 1024) != 0)) {
    die("server");
  }
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    type == SOCK_STREAM ? serve_tcp(fd) : serve_udp(fd);
  }
  close(fd);
  return pid;
}

static int dial(int family, int type, int port) {
  struct sockaddr_in four = v4(loopback, port);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                             .sin6_port = htons((uint16_t)port),
                             .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
  const struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int connected = family == 4 ? connect(fd, (struct sockaddr *)&four, sizeof four)
                              : connect(fd, (struct sockaddr *)&six, sizeof six);
  if (connected != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static void echoes(int family, int port, size_t size) {
  int fd = dial(family, SOCK_STREAM, port);
  EXPECT(fd >= 0, "connect to port %d: %s", port, strerror(errno));
  if (fd < 0) {
    return;
  }
  char *data = malloc(size);
  char *back = malloc(size + 1);
  if (data == NULL || back == NULL) {
    die("malloc");
  }
  for (size_t i = 0; i < size; i++) {
    data[i] = (char)(i * 7 + i / 251);
  }
  for (size_t at = 0; at < size;) {
    ssize_t part = write(fd, data + at, size - at);
    if (part <= 0) {
      die("write");
    }
    at += (size_t)part;
  }
  shutdown(fd, SHUT_WR);
  size_t length = 0;
  ssize_t part;
  while ((part = read(fd, back + length, size + 1 - length)) > 0) {
    length += (size_t)part;
  }
  EXPECT(length == size && memcmp(data, back, size) == 0, "%zu of %zu bytes came back", length,
         size);
  free(data);
  free(back);
  close(fd);
}

static void echoes_datagrams(int family, int port) {
  int fds[3];
  for (int i = 0; i < 3; i++) {
    fds[i] = dial(family, SOCK_DGRAM, port);
  }
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 3; i++) {
      char text[32];
      char back[32] = "";
      int length = snprintf(text, sizeof text, "client %d round %d", i, round);
      if (send(fds[i], text, (size_t)length, 0) != length) {
        die("send");
      }
      ssize_t got = recv(fds[i], back, sizeof back - 1, 0);
      EXPECT(got == length && strcmp(text, back) == 0, "\"%s\" came back as \"%s\"", text, back);
    }
  }
  for (int i = 0; i < 3; i++) {
    close(fds[i]);
  }
}

static void drops_privileges(const struct reply *reply) {
  char *status = slurp("/proc/%d/status", reply->answer.pid);
  EXPECT(strstr(status, "Uid:\t65534\t65534\t65534\t65534") != NULL, "%s", status);
  EXPECT(strstr(status, "CapPrm:\t0000000000000000") != NULL, "%s", status);
  EXPECT(strstr(status, "CapEff:\t0000000000000000") != NULL, "%s", status);
  char *mounts = slurp("/proc/%d/mountinfo", reply->answer.pid);
  int lines = 0;
  for (const char *at = mounts; *at != '\0'; at++) {
    lines += *at == '\n';
  }
  EXPECT(lines == 1, "it sees the mounts\n%s", mounts);
  printf("   holder PSS: %ld KiB\n",
         number_after(slurp("/proc/%d/smaps_rollup", reply->answer.pid), "\nPss:"));
}

// One that is not written down in the end is gone by itself: nobody would know of it.
static void awaits_its_record(struct spawner_client *spawner) {
  for (int written = 0; written <= 1; written++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      die("pipe2");
    }
    plan_begin(&b, KIND_HOLDER, 1);
    listen_on(4, IPPROTO_TCP, loopback, 8090);
    plan_add(&b, OP_AWAIT, STAGE_MONITOR, "i", I(0));
    struct reply holder = spawner_call(spawner, &b, ends, 1);
    EXPECT(holder.answer.type == ANSWER_STARTED, "errno %d", holder.answer.error);
    close(ends[0]);
    if (written != 0) {
      EXPECT(write(ends[1], "", 1) == 1, "%s", strerror(errno));
      echoes(4, 8090, 10);
      kill(holder.answer.pid, SIGTERM);
    }
    close(ends[1]);
    await_end(holder.pidfd);
    close(holder.pidfd);
  }
}

void test_holders(const char *native) {
  // First, so that they do not hold the spawner's socket.
  pid_t servers[] = {start_server(SOCK_STREAM), start_server(SOCK_DGRAM)};
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  plan_begin(&b, KIND_HOLDER, 0);
  listen_on(4, IPPROTO_TCP, loopback, 8080);
  listen_on(6, IPPROTO_TCP, any6, 8080);
  listen_on(4, IPPROTO_UDP, loopback, 5353);
  listen_on(6, IPPROTO_UDP, any6, 5353);
  struct reply holder = spawner_call(&spawner, &b, NULL, 0);
  EXPECT(holder.answer.type == ANSWER_STARTED && holder.answer.pid_start > 0, "errno %d",
         holder.answer.error);
  drops_privileges(&holder);
  echoes(4, 8080, 6);
  echoes(6, 8080, 100000);
  echoes(4, 8080, 4000000);
  // More at once than it has places for, then all of them in turn.
  int waiting[300];
  for (int i = 0; i < 300; i++) {
    waiting[i] = dial(4, SOCK_STREAM, 8080);
    EXPECT(waiting[i] >= 0, "connection %d: %s", i, strerror(errno));
  }
  for (int i = 0; i < 300; i++) {
    char byte;
    if (write(waiting[i], "x", 1) != 1) {
      die("write");
    }
    shutdown(waiting[i], SHUT_WR);
    EXPECT(read(waiting[i], &byte, 1) == 1 && byte == 'x', "connection %d", i);
    close(waiting[i]);
  }
  echoes_datagrams(4, 5353);
  echoes_datagrams(6, 5353);

  // The third of three is taken: nothing of the others stays bound.
  plan_begin(&b, KIND_HOLDER, 0);
  listen_on(4, IPPROTO_TCP, loopback, 8081);
  listen_on(4, IPPROTO_UDP, loopback, 5354);
  listen_on(4, IPPROTO_TCP, loopback, 8080);
  struct reply clash = spawner_call(&spawner, &b, NULL, 0);
  EXPECT(clash.answer.type == ANSWER_FAILED && clash.answer.error == EADDRINUSE &&
             clash.answer.index == 2 && clash.answer.detail == 2,
         "type %u errno %d index %u", clash.answer.type, clash.answer.error, clash.answer.index);
  plan_begin(&b, KIND_HOLDER, 0);
  listen_on(4, IPPROTO_UDP, loopback, 5353);
  clash = spawner_call(&spawner, &b, NULL, 0);
  EXPECT(clash.answer.error == EADDRINUSE, "errno %d", clash.answer.error);

  // It outlives the spawner, ends on SIGTERM, and its ports can be had again at once.
  spawner_stop(&spawner);
  echoes(4, 8080, 10);
  kill(holder.answer.pid, SIGTERM);
  await_end(holder.pidfd);
  close(holder.pidfd);
  spawner_start(&spawner, native);
  plan_begin(&b, KIND_HOLDER, 0);
  listen_on(4, IPPROTO_TCP, loopback, 8080);
  listen_on(4, IPPROTO_TCP, loopback, 8081);
  holder = spawner_call(&spawner, &b, NULL, 0);
  EXPECT(holder.answer.type == ANSWER_STARTED, "errno %d", holder.answer.error);
  awaits_its_record(&spawner);
  // Nobody at the target: the client learns it as a reset or an end, and soon.
  kill(servers[0], SIGKILL);
  waitpid(servers[0], NULL, 0);
  int fd = dial(4, SOCK_STREAM, 8080);
  char byte;
  EXPECT(fd < 0 || read(fd, &byte, 1) <= 0, "something answered");
  close(fd);
  kill(holder.answer.pid, SIGTERM);
  await_end(holder.pidfd);
  close(holder.pidfd);
  kill(servers[1], SIGKILL);
  waitpid(servers[1], NULL, 0);
  spawner_stop(&spawner);
}
